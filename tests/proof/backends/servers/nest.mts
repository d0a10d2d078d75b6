/* eslint-disable @typescript-eslint/no-explicit-any -- the types of Express are not installed */
// NestJS with @nestjs/jwt, as its guide guards routes, and a refresh token in a cookie of its own.
import 'reflect-metadata'
import {
  Body,
  CanActivate,
  Controller,
  ExecutionContext,
  Get,
  HttpCode,
  Injectable,
  Module,
  Post,
  Req,
  Res,
  UnauthorizedException,
  UseGuards,
  ValidationPipe,
} from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { JwtModule, JwtService } from '@nestjs/jwt'
import { IsNotEmpty, IsString, MinLength } from 'class-validator'
import { randomUUID } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'

const WEEK = 7 * 86_400
const users = ['admin', 'demo']
const projects = new Map<string, object[]>()

/** In memory, and in a file while the server is down. */
const file = `${process.env.DATA}/refresh-tokens.json`
const refreshTokens = new Map<string, { sub: string; until: number }>(
  existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : [],
)
process.on('SIGTERM', () => {
  writeFileSync(file, JSON.stringify([...refreshTokens]))
  process.exit()
})

class ProjectDto {
  @MinLength(2)
  @IsNotEmpty()
  @IsString()
  name!: string
}

@Injectable()
class AuthGuard implements CanActivate {
  constructor(private readonly jwt: JwtService) {}

  async canActivate(context: ExecutionContext) {
    const request = context.switchToHttp().getRequest()
    const [type, token] = request.headers.authorization?.split(' ') ?? []
    if (type !== 'Bearer') throw new UnauthorizedException()
    try {
      request.user = await this.jwt.verifyAsync(token)
    } catch {
      throw new UnauthorizedException()
    }
    return true
  }
}

@Controller('auth')
class AuthController {
  constructor(private readonly jwt: JwtService) {}

  @HttpCode(200)
  @Post('login')
  login(@Body() { username, password }: any, @Res({ passthrough: true }) res: any) {
    if (!users.includes(username) || password !== 'password') {
      throw new UnauthorizedException('Wrong name or password, or the account is locked')
    }
    return this.grant(username, res)
  }

  @HttpCode(200)
  @Post('refresh')
  refresh(@Req() req: any, @Res({ passthrough: true }) res: any) {
    const token = cookieOf(req)
    const found = refreshTokens.get(token)
    refreshTokens.delete(token)
    if (!found || found.until < Date.now()) {
      res.clearCookie('refresh_token')
      throw new UnauthorizedException('The session has expired')
    }
    return this.grant(found.sub, res)
  }

  @UseGuards(AuthGuard)
  @HttpCode(204)
  @Post('logout')
  logout(@Req() req: any, @Res({ passthrough: true }) res: any) {
    refreshTokens.delete(cookieOf(req))
    res.clearCookie('refresh_token')
  }

  @UseGuards(AuthGuard)
  @Get('profile')
  profile(@Req() req: any) {
    return req.user
  }

  private async grant(sub: string, res: any) {
    const token = randomUUID()
    refreshTokens.set(token, { sub, until: Date.now() + WEEK * 1000 })
    res.cookie('refresh_token', token, { httpOnly: true, sameSite: 'strict', maxAge: WEEK * 1000 })
    return { access_token: await this.jwt.signAsync({ sub, username: sub, jti: token }) }
  }
}

@UseGuards(AuthGuard)
@Controller('projects')
class ProjectsController {
  @Get()
  list(@Req() req: any) {
    return projects.get(req.user.sub) ?? []
  }

  @Post()
  add(@Req() req: any, @Body() project: ProjectDto) {
    projects.set(req.user.sub, [...this.list(req), project])
    return project
  }
}

@Module({
  imports: [
    JwtModule.register({ global: true, secret: 'secret', signOptions: { expiresIn: '15m' } }),
  ],
  controllers: [AuthController, ProjectsController],
})
class AppModule {}

function cookieOf(req: any): string {
  return /refresh_token=([^;]+)/.exec(req.headers.cookie ?? '')?.[1] ?? ''
}

const app = await NestFactory.create(AppModule, { logger: ['error', 'warn'] })
app.use((req: any, _res: unknown, next: () => void) => {
  console.log(req.method, req.url)
  next()
})
app.enableCors({ origin: process.env.ORIGINS!.split(' '), credentials: true })
app.useGlobalPipes(new ValidationPipe())
await app.listen(Number(process.env.PORT), '127.0.0.1')

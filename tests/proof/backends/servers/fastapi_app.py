"""FastAPI, as its tutorial signs in (OAuth2 with a password form, JWTs), and a refresh of our own."""
import os
from datetime import datetime, timedelta
from uuid import uuid4

import jwt
import uvicorn
from fastapi import Depends, FastAPI, HTTPException
from fastapi.middleware.cors import CORSMiddleware
from fastapi.security import OAuth2PasswordBearer, OAuth2PasswordRequestForm
from pydantic import BaseModel, Field

SECRET_KEY = "a-secret-of-this-server-on-loopback"
REFRESH_KEY = "another-secret-of-this-server-on-loopback"
ALGORITHM = "HS256"

app = FastAPI()
app.add_middleware(
    CORSMiddleware,
    allow_origins=os.environ["ORIGINS"].split(),
    allow_methods=["*"],
    allow_headers=["*"],
)
oauth2_scheme = OAuth2PasswordBearer(tokenUrl="token")
users = {name: {"username": name, "disabled": False} for name in ("admin", "demo")}
projects = {}
used = set()


class Refresh(BaseModel):
    refresh_token: str


class Project(BaseModel):
    name: str = Field(min_length=2)


def refused(detail: str):
    return HTTPException(401, detail=detail, headers={"WWW-Authenticate": "Bearer"})


def grant(username: str):
    expires = datetime.utcnow() + timedelta(minutes=15)
    access_token = jwt.encode({"sub": username, "exp": expires}, SECRET_KEY, algorithm=ALGORITHM)
    claims = {"sub": username, "jti": str(uuid4()), "exp": datetime.utcnow() + timedelta(days=7)}
    refresh_token = jwt.encode(claims, REFRESH_KEY, algorithm=ALGORITHM)
    return {"access_token": access_token, "token_type": "bearer", "refresh_token": refresh_token}


def current_user(token: str = Depends(oauth2_scheme)):
    try:
        return users[jwt.decode(token, SECRET_KEY, algorithms=[ALGORITHM])["sub"]]
    except jwt.PyJWTError:
        raise refused("Could not validate credentials")


@app.post("/token")
def login(form: OAuth2PasswordRequestForm = Depends()):
    if form.username not in users or form.password != "password":
        raise refused("Incorrect username or password")
    return grant(form.username)


@app.post("/refresh")
def refresh(body: Refresh):
    try:
        claims = jwt.decode(body.refresh_token, REFRESH_KEY, algorithms=[ALGORITHM])
    except jwt.PyJWTError:
        raise refused("The refresh token is not valid any more")
    if claims["jti"] in used:
        raise refused("The refresh token has been used")
    used.add(claims["jti"])
    return grant(claims["sub"])


@app.post("/logout")
def logout(body: Refresh):
    used.add(jwt.decode(body.refresh_token, REFRESH_KEY, algorithms=[ALGORITHM])["jti"])


@app.get("/users/me")
def me(user=Depends(current_user)):
    return user


@app.get("/projects")
def get_projects(user=Depends(current_user)):
    return projects.get(user["username"], [])


@app.post("/projects")
def add_project(project: Project, user=Depends(current_user)):
    projects.setdefault(user["username"], []).append(project)
    return project


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ["PORT"]))

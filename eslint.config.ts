import { defineConfigWithVueTs, vueTsConfigs } from '@vue/eslint-config-typescript'
import skipFormatting from 'eslint-config-prettier/flat'
import oxlint from 'eslint-plugin-oxlint'
import playwright from 'eslint-plugin-playwright'
import vue from 'eslint-plugin-vue'
import { globalIgnores } from 'eslint/config'

// What oxlint cannot check yet: templates, and the rules of Playwright. All else is in .oxlintrc.json, because
// oxlint is some thirty times as fast.
export default defineConfigWithVueTs(
  globalIgnores(['**/dist/**', '**/*.{ts,mts,js}', '!tests/e2e/**/*.spec.ts']),
  ...vue.configs['flat/recommended'],
  vueTsConfigs.recommended,
  {
    ...playwright.configs['flat/recommended'],
    files: ['tests/e2e/**/*.spec.ts'],
    rules: {
      ...playwright.configs['flat/recommended'].rules,
      'playwright/expect-expect': ['error', { assertFunctionPatterns: ['^expect'] }],
      // It takes the mock's count() for a locator's.
      'playwright/prefer-to-have-count': 'off',
    },
  },
  ...oxlint.buildFromOxlintConfigFile('.oxlintrc.json'),
  skipFormatting,
)

import { defineConfigWithVueTs, vueTsConfigs } from '@vue/eslint-config-typescript'
import skipFormatting from 'eslint-config-prettier/flat'
import oxlint from 'eslint-plugin-oxlint'
import playwright from 'eslint-plugin-playwright'
import vue from 'eslint-plugin-vue'
import { globalIgnores } from 'eslint/config'

export default defineConfigWithVueTs(
  { name: 'app/files-to-lint', files: ['**/*.{vue,ts,mts,tsx}'] },
  globalIgnores(['**/dist/**', '**/test-results/**', '**/playwright-report/**']),
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

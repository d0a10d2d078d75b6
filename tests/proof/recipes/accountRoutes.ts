import type { RouteRecordRaw } from 'vue-router'

export const accountRoutes: RouteRecordRaw[] = [
  {
    path: '/register',
    component: () => import('./RegisterView.vue'),
    meta: { title: 'Create an account', guestOnly: true },
  },
  {
    path: '/forgot-password',
    component: () => import('./ForgotPasswordView.vue'),
    meta: { title: 'Forgotten password', guestOnly: true },
  },
  {
    // Open to everyone: whoever follows the link may be signed in.
    path: '/reset-password',
    component: () => import('./ResetPasswordView.vue'),
    meta: { title: 'New password' },
  },
]

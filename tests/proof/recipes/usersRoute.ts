import type { RouteRecordRaw } from 'vue-router'

export const usersRoute: RouteRecordRaw = {
  path: '/users',
  name: 'users',
  component: () => import('./UsersView.vue'),
  meta: { title: 'Users', roles: ['admin'] }, // One of these roles is enough.
}

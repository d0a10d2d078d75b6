/** The app's pages, and who may enter them (src/auth/guard.ts). */
import type { RouteRecordRaw } from 'vue-router'
import type { AccessMeta } from '@/auth/index.ts'
// Not lazy: it is needed when nothing can be loaded.
import UnavailableView from '@/views/UnavailableView.vue'

declare module 'vue-router' {
  interface RouteMeta extends AccessMeta {
    /** What stands in the title of the browser's tab, before the name of the app. */
    title?: string
  }
}

/**
 * Views that are kept alive while another is shown, by the names of their files: `ProjectsView`. They
 * go when their person leaves (App.vue).
 */
export const keptViews: string[] = []

export const routes: RouteRecordRaw[] = [
  { path: '/', name: 'home', component: () => import('@/views/HomeView.vue') },
  {
    path: '/login',
    name: 'login',
    component: () => import('@/views/LoginView.vue'),
    meta: { title: 'Sign in', guestOnly: true },
  },
  {
    path: '/dashboard',
    name: 'dashboard',
    component: () => import('@/views/DashboardView.vue'),
    meta: { title: 'Dashboard', requiresAuth: true },
  },
  {
    path: '/projects',
    meta: { requiresAuth: true },
    // Below one parent: its link in the navigation stays the current one (NavLink.vue).
    children: [
      {
        path: '',
        name: 'projects',
        component: () => import('@/views/ProjectsView.vue'),
        meta: { title: 'Projects' },
      },
      {
        // No id that could be a path, such as `..%2Fauth%2Fme`: it is put into the address of a request.
        path: ':id([\\w-]+)',
        name: 'project',
        component: () => import('@/views/ProjectView.vue'),
        props: true,
        meta: { title: 'Project' },
      },
    ],
  },
  {
    path: '/admin',
    name: 'admin',
    component: () => import('@/views/AdminView.vue'),
    meta: { title: 'Admin', roles: ['admin'] },
  },
  // demo:start
  {
    path: '/lab',
    name: 'lab',
    component: () => import('@/views/LabView.vue'),
    meta: { title: 'Refresh lab', requiresAuth: true },
  },
  // demo:end
  {
    path: '/forbidden',
    name: 'forbidden',
    component: () => import('@/views/ForbiddenView.vue'),
    meta: { title: 'Access denied' },
  },
  {
    path: '/:pathMatch(.*)*',
    name: 'not-found',
    component: () => import('@/views/NotFoundView.vue'),
    meta: { title: 'Page not found' },
  },
  // Never matched by an address: it stands in for a page, by its name, and keeps the page's address.
  {
    path: '/:pathMatch(.*)*',
    name: 'unavailable',
    component: UnavailableView,
    meta: { title: 'Cannot reach the server' },
  },
]

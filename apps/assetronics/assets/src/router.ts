import { createRouter, createWebHistory } from 'vue-router'
import { tenant } from './lib/tenant.ts'
import AssetListPage from './pages/AssetListPage.vue'
import NotFoundPage from './pages/NotFoundPage.vue'

export const router = createRouter({
  history: createWebHistory(),
  scrollBehavior: (to, from, saved) => saved ?? (to.path === from.path ? undefined : { top: 0 }),
  routes: [
    { path: '/', redirect: '/t/demo/assets' },
    { path: '/t/:tenant', redirect: (to) => `/t/${String(to.params.tenant)}/assets` },
    {
      path: '/t/:tenant',
      children: [
        { path: 'assets', name: 'assets', component: AssetListPage, meta: { title: 'Assets' } },
        { path: 'assets/new', name: 'asset-new', component: () => import('./pages/AssetFormPage.vue'), meta: { title: 'New asset' } },
        { path: 'assets/:id', name: 'asset', component: () => import('./pages/AssetPage.vue'), meta: { title: 'Asset' } },
        { path: 'assets/:id/edit', name: 'asset-edit', component: () => import('./pages/AssetFormPage.vue'), meta: { title: 'Edit asset' } },
        { path: 'employees', name: 'employees', component: () => import('./pages/EmployeeListPage.vue'), meta: { title: 'Employees' } },
        { path: 'employees/:id', name: 'employee', component: () => import('./pages/EmployeePage.vue'), meta: { title: 'Employee' } },
        { path: 'activity', name: 'activity', component: () => import('./pages/ActivityPage.vue'), meta: { title: 'Activity' } },
        { path: 'import', name: 'import', component: () => import('./pages/ImportPage.vue'), meta: { title: 'Import' } },
        { path: 'monitor', name: 'monitor', component: () => import('./pages/MonitorPage.vue'), meta: { title: 'Monitor' } },
        { path: ':rest(.*)*', name: 'nowhere', component: NotFoundPage, meta: { title: 'Not found' } },
      ],
    },
    { path: '/ops', redirect: '/ops/processes' },
    { path: '/ops/processes', name: 'processes', component: () => import('./pages/ProcessesPage.vue'), meta: { title: 'Processes', ofNode: true } },
    { path: '/:rest(.*)*', component: NotFoundPage, meta: { title: 'Not found' } },
  ],
})

router.beforeEach((to) => {
  if (to.params.tenant) tenant.value = String(to.params.tenant)
})
router.afterEach((to) => {
  document.title = `${String(to.meta.title ?? 'Assetronics')} · Assetronics`
})

// After a deployment the old page asks for files that are gone: load the new page instead.
router.onError((error, to) => {
  if (/dynamically imported module|Importing a module/.test(String(error))) window.location.assign(to.fullPath)
})

import { ref, watch } from 'vue'

/** The company whose pages are open: the slug in the address; on pages of the node, the company that was open last. */
const storageKey = 'assetronics.tenant'
export const tenant = ref(sessionStorage.getItem(storageKey) ?? 'demo')
watch(tenant, (slug) => sessionStorage.setItem(storageKey, slug))

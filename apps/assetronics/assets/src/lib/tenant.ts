import { ref } from 'vue'

/** The company whose pages are open: the slug in the address. */
export const tenant = ref('demo')

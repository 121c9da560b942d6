// The operations token of the node, for as long as this tab lives.
const storageKey = 'assetronics.ops-token'

export const opsToken = (): string => sessionStorage.getItem(storageKey) ?? ''

export function setOpsToken(token: string): void {
  if (token) sessionStorage.setItem(storageKey, token)
  else sessionStorage.removeItem(storageKey)
}

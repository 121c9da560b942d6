import { ref } from 'vue'

// The name that other viewers see. Kept in this browser; a new one gets a name that tells tabs apart.
const storageKey = 'assetronics.viewer'
const animals = ['Heron', 'Otter', 'Lynx', 'Falcon', 'Badger', 'Marten', 'Osprey', 'Ibis', 'Fox', 'Crane', 'Wren', 'Stork']
const colours = ['Amber', 'Azure', 'Coral', 'Ivory', 'Jade', 'Olive', 'Ruby', 'Slate', 'Teal', 'Umber']

function pick(list: string[]): string {
  return list[Math.floor(Math.random() * list.length)]!
}

function initial(): string {
  const known = localStorage.getItem(storageKey)
  if (known) return known
  const name = `${pick(colours)} ${pick(animals)}`
  localStorage.setItem(storageKey, name)
  return name
}

export const viewerName = ref(initial())

export function setViewerName(name: string): void {
  viewerName.value = name.trim().slice(0, 60) || 'Guest'
  localStorage.setItem(storageKey, viewerName.value)
}

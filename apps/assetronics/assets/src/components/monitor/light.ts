import type { Light } from '../../types.ts'

/** Colour alone does not reach everybody: each light has a word. */
export const lightNames: Record<Light, string> = { green: 'healthy', amber: 'needs attention', red: 'in trouble or offline' }
export const lightLabels: Record<Light, string> = { green: 'Green', amber: 'Amber', red: 'Red' }
export const lightFills: Record<Light, string> = { green: 'bg-light-green', amber: 'bg-light-amber', red: 'bg-light-red' }

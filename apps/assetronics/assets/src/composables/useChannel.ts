import type { Channel } from 'phoenix'
import { onScopeDispose, ref, type Ref } from 'vue'
import { acquireChannel, releaseChannel, type JoinListener } from '../lib/socket.ts'

export interface ChannelOptions<Events extends object> {
  events?: { [Name in keyof Events]?: (payload: Events[Name]) => void }
  /** Every successful join; `again` after a reconnect: refetch what events may have missed. */
  joined?: (reply: unknown, again: boolean) => void
  /** Join params, asked for at every join. Of the first component on a topic. */
  params?: () => object
}

export interface LiveChannel {
  channel: Channel
  joined: Ref<boolean>
  refused: Ref<string | null>
  /** Resolves with the reply; rejects with the reason that the server gave, or "timeout". */
  push<Reply = unknown>(event: string, payload: object): Promise<Reply>
}

/** Listens on a topic for as long as the component lives. Components on the same topic share one channel. */
export function useChannel<Events extends object>(topic: string, options: ChannelOptions<Events> = {}): LiveChannel {
  const joined = ref(false)
  const refused = ref<string | null>(null)
  const listener: JoinListener = {
    joined(reply, again) {
      joined.value = true
      refused.value = null
      options.joined?.(reply, again)
    },
    failed(reason) {
      refused.value = reason
    },
  }
  const channel = acquireChannel(topic, listener, options.params)
  const bindings = Object.entries(options.events ?? {}).map(
    ([event, handle]) => [event, channel.on(event, handle as (payload: unknown) => void)] as const,
  )

  onScopeDispose(() => {
    for (const [event, ref] of bindings) channel.off(event, ref)
    releaseChannel(topic, listener)
  })

  function push<Reply>(event: string, payload: object): Promise<Reply> {
    return new Promise((resolve, reject) => {
      channel
        .push(event, payload, 5000)
        .receive('ok', (reply) => resolve(reply as Reply))
        .receive('error', (reply) => reject(new Error(String(reply?.message ?? reply?.reason ?? reply?.errors?.[0]?.message ?? 'refused'))))
        .receive('timeout', () => reject(new Error('timeout')))
    })
  }
  return { channel, joined, refused, push }
}

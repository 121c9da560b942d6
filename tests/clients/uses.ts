// Compiled, never run: what the generated types allow and what they refuse.
import { openChannel, type ChannelError } from '@bennu/client'
import { useChannel as useReactChannel, usePresence as useReactPresence } from '@bennu/client/react'
import { useChannel, usePresence } from '@bennu/client/vue'
import type { Socket } from 'phoenix'
import type { Mood, RoomChannel } from './chat'

export async function plain(socket: Socket): Promise<string> {
  const room = openChannel<RoomChannel>(socket, 'room:a', {
    params: { name: 'ada' },
    events: { said: ({ from, at }) => console.log(from.length, at) },
    reduce: { said: (data, { from }) => ({ ...data, name: from }) },
    onJoin: ({ name, mood }) => console.log(name, mood satisfies Mood),
    onPresence: (present) => present.map(({ key, metas }) => [key, metas[0]?.mood, metas[0]?.phx_ref]),
  })
  const reply = await room.push('say', { text: 'hello' })
  room.send('busy')
  const error: ChannelError | null = room.state.error
  console.log(error?.fields['name'], room.state.data?.mood)

  // @ts-expect-error the event has another payload
  void room.push('say', { txt: 'hello' })
  // @ts-expect-error the payload is required
  void room.push('say')
  // @ts-expect-error there is no such event
  void room.push('shout', {})
  // @ts-expect-error the server answers nothing to it
  void room.push('busy')
  // @ts-expect-error the server sends no such event
  room.on('shouted', () => {})
  // @ts-expect-error the payload has no such field
  room.on('said', ({ to }) => console.log(to))
  // @ts-expect-error the params need a name
  openChannel<RoomChannel>(socket, 'room:a', { params: {} })
  return reply.from
}

export function vue() {
  const { joined, data, push } = useChannel<RoomChannel>('room:a', { params: { name: 'ada', mood: null } })
  const people = usePresence<RoomChannel>(() => (joined.value ? 'room:a' : null))
  // @ts-expect-error a mood is not a number
  const wrong: number | undefined = data.value?.mood
  return { wrong, names: people.value.map(({ metas }) => metas[0]?.name.toUpperCase()), push }
}

export function react() {
  const { joined, data, push } = useReactChannel<RoomChannel>('room:a', { events: { said: ({ text }) => text.trim() } })
  const people = useReactPresence<RoomChannel>(joined ? 'room:a' : null)
  // @ts-expect-error a mood is not a number
  const wrong: number | undefined = data?.mood
  return { wrong, moods: people.flatMap(({ metas }) => metas.map(({ mood }) => mood)), push }
}

/** As the generator writes it for a channel with a fetch. */
interface KnownRoom extends RoomChannel {
  present: { user: { email: string } }
}

export function known() {
  const people = usePresence<KnownRoom>('room:a')
  // @ts-expect-error a fetch may have failed
  const sure: string | undefined = people.value[0]?.user.email
  // @ts-expect-error an address is not a number
  const wrong: number | undefined = people.value[0]?.user?.email
  return { sure, wrong, emails: people.value.map(({ key, user }) => user?.email ?? key) }
}

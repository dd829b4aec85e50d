// Kafka for tests, from the `ottla` binary, for node:test and any other runner.
//
//   const kafka = await Kafka.start()
//   after(() => kafka.stop())
//   beforeEach(() => kafka.reset())
//
// The binary is found by OTTLA, or on the PATH.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

/** What the broker did not do, and why. */
export class OttlaError extends Error {
  constructor(status, { code, message }) {
    super(`${code}: ${message}`)
    Object.assign(this, { status, code })
  }
}

/** A running `ottla test`. */
export class Kafka {
  static async start(...args) {
    const binary = process.env.OTTLA ?? 'ottla'
    // The broker ends when this pipe does, however the tests end.
    const child = spawn(binary, ['test', '--until-stdin-ends', ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
    const ended = new Promise((resolve) => child.once('exit', (code, signal) => resolve(code ?? signal)))
    await once(child, 'spawn').catch((error) => {
      const message = `cannot start ${binary} (${error.message}): set OTTLA to the binary, or have it on the PATH`
      throw new OttlaError(0, { code: 'NOT_READY', message })
    })
    for await (const line of createInterface({ input: child.stdout })) {
      const fields = Object.fromEntries(line.split(' ').slice(1).map((part) => part.split(/=(.*)/)))
      return Object.assign(new Kafka(), {
        bootstrapServers: fields['bootstrap.servers'],
        control: fields.control,
        stop: async () => {
          child.stdin.end()
          await ended
        },
      })
    }
    throw new OttlaError(0, { code: 'NOT_READY', message: `ottla test ended with ${await ended}` })
  }

  /** Asks the control endpoint: see the page on testing of ottla's handbook. */
  async call(method, path, fields) {
    const answer = await fetch(this.control + path, { method, body: fields && JSON.stringify(fields) })
    const body = await answer.json()
    if (!answer.ok) throw new OttlaError(answer.status, body.error)
    return body
  }

  /** Lets time pass, with everything that is due by then. */
  advance(ms) {
    return this.call('POST', '/v1/advance', { ms })
  }

  /** Waits for the broker: waitUntil('records', { topic: 'orders', count: 3 }). */
  waitUntil(until, fields) {
    return this.call('POST', '/v1/wait', { until, ...fields })
  }

  /** Has requests go wrong: fault({ api: 'Produce', times: 3, answer: 'NOT_LEADER_OR_FOLLOWER' }). */
  async fault(fields) {
    const { id } = await this.call('POST', '/v1/faults', fields)
    const hits = async () => (await this.call('GET', '/v1/faults')).find((rule) => rule.id === id).hits
    return { id, hits, remove: () => this.call('DELETE', `/v1/faults/${id}`) }
  }

  createTopic(name, { partitions = 1, configs = {} } = {}) {
    return this.call('POST', '/v1/topics', { name, partitions, configs })
  }

  /** Puts records into a topic without a client: produce('orders', { value: 'two pears', key: 'till-4' }). */
  produce(topic, ...records) {
    return this.call('POST', `/v1/topics/${encodeURIComponent(topic)}/records`, { records })
  }

  records(topic) {
    return this.call('GET', `/v1/topics/${encodeURIComponent(topic)}/records`)
  }

  /** The groups, by name. */
  async groups() {
    return Object.fromEntries((await this.call('GET', '/v1/groups')).map((group) => [group.groupId, group]))
  }

  /** The requests that have come. */
  journal(match = {}) {
    return this.call('GET', `/v1/journal?${new URLSearchParams(match)}`)
  }

  /** What happened to a group, and why, in words. */
  async groupHistory(group) {
    const events = await this.call('GET', `/v1/groups/${encodeURIComponent(group)}/history`)
    return events.map(({ text }) => text)
  }

  /** What happened to a transactional id, and why, in words. */
  async transactionHistory(id) {
    const events = await this.call('GET', `/v1/transactions/${encodeURIComponent(id)}/history`)
    return events.map(({ text }) => text)
  }

  /** Has the disk fail: failDisk('sync'), failDisk('write', 'ENOSPC'). */
  failDisk(fail, error = 'EIO') {
    return this.call('POST', '/v1/disk', { fail, with: error })
  }

  healDisk() {
    return this.call('DELETE', '/v1/disk')
  }

  /** Cuts the power of a broker with --volatile-disk, and starts it again with what was synced. */
  losePower() {
    return this.call('POST', '/v1/power-loss')
  }

  /** Stops the broker, and starts it again with its data. */
  restart() {
    return this.call('POST', '/v1/restart')
  }

  /** Has another of several brokers (--nodes) be it: move('leader', { topic: 'orders' }). Which one it is. */
  async move(what, fields = {}) {
    return (await this.call('POST', '/v1/move', { what, ...fields })).to
  }

  /** Takes one of several brokers down. */
  nodeDown(node) {
    return this.call('POST', `/v1/nodes/${node}/down`)
  }

  /** Brings it up again. */
  nodeUp(node) {
    return this.call('POST', `/v1/nodes/${node}/up`)
  }

  /** Has the broker hang: connections stay, and nobody answers. */
  pause() {
    return this.call('POST', '/v1/pause')
  }

  /** Has it work again. */
  resume() {
    return this.call('POST', '/v1/resume')
  }

  /** A part of the broker with an address of its own, for a test that runs beside others with the same names. */
  async namespace(name) {
    const { bootstrapServers } = await this.call('POST', '/v1/namespaces', { name })
    const fullName = (own) => `${name}.${own}`
    return {
      bootstrapServers,
      fullName,
      records: (topic) => this.records(fullName(topic)),
      end: () => this.call('DELETE', `/v1/namespaces/${encodeURIComponent(name)}`),
    }
  }

  /** A second broker that goes on from where this one is. */
  async fork() {
    const { id, bootstrapServers, control } = await this.call('POST', '/v1/forks')
    const stop = () => this.call('DELETE', `/v1/forks/${id}`)
    return Object.assign(new Kafka(), { bootstrapServers, control, stop })
  }

  /** Keeps the broker as it is; gives what brings it back. */
  async snapshot() {
    const { id } = await this.call('POST', '/v1/snapshots')
    return { restore: () => this.call('POST', `/v1/snapshots/${id}/restore`) }
  }

  /** Starts from nothing, at the same address. */
  reset() {
    return this.call('POST', '/v1/reset')
  }
}

// kafkajs, the client in JavaScript, with the codecs that its documentation tells to plug in.
'use strict'

const { Kafka, CompressionTypes, CompressionCodecs, ConfigResourceTypes, AssignerProtocol, logLevel } = require('kafkajs')
const assert = require('node:assert')
const snappy = require('kafkajs-snappy')
const lz4 = require('lz4-napi')
const zstd = require('@mongodb-js/zstd')

CompressionCodecs[CompressionTypes.Snappy] = snappy
CompressionCodecs[CompressionTypes.LZ4] = () => ({
  compress: (encoder) => lz4.compressFrame(encoder.buffer),
  decompress: (buffer) => lz4.decompressFrame(buffer),
})
CompressionCodecs[CompressionTypes.ZSTD] = () => ({
  compress: (encoder) => zstd.compress(encoder.buffer),
  decompress: (buffer) => zstd.decompress(buffer),
})

const LIMIT_MS = 30_000
const kafka = new Kafka({ brokers: [process.env.BOOTSTRAP], logLevel: logLevel.ERROR, retry: { initialRetryTime: 50 } })
const admin = kafka.admin()
let count = 0
const unique = (prefix) => `${prefix}-${process.pid}-${count++}`

class NotApplicable extends Error {}

/** Waits for a condition of the client's own making, such as an assignment. */
async function waitFor(what, condition) {
  const deadline = Date.now() + LIMIT_MS
  for (;;) {
    const value = await condition()
    if (value) return value
    if (Date.now() > deadline) throw new Error(`not within ${LIMIT_MS} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

async function newTopic(numPartitions = 1, configs = {}) {
  const topic = unique('kafkajs')
  const configEntries = Object.entries(configs).map(([name, value]) => ({ name, value }))
  const created = await admin.createTopics({ topics: [{ topic, numPartitions, replicationFactor: 1, configEntries }] })
  assert(created)
  return topic
}

async function produce(topic, messages, settings = {}, sending = {}) {
  const producer = kafka.producer(settings)
  await producer.connect()
  const sent = await producer.send({ topic, messages: messages.map((m) => ({ partition: 0, ...m })), ...sending })
  await producer.disconnect()
  return sent
}

const numbers = (count) => Array.from({ length: count }, (_, i) => ({ value: String(i) }))

/** A member of a group: what it read, what it has, and how to make it go. */
class Member {
  static async start(topic, { groupId = unique('reader'), limit = Infinity, ...settings } = {}) {
    const member = new Member()
    member.messages = []
    member.assigned = []
    member.consumer = kafka.consumer({ groupId, sessionTimeout: 6000, heartbeatInterval: 300, maxWaitTimeInMs: 200, ...settings })
    member.consumer.on(member.consumer.events.GROUP_JOIN, ({ payload }) => {
      member.assigned = payload.memberAssignment[topic] || []
    })
    await member.consumer.connect()
    await member.consumer.subscribe({ topics: [topic], fromBeginning: true })
    await member.consumer.run({
      autoCommit: false,
      eachMessage: async ({ message }) => {
        if (member.messages.length < limit) member.messages.push(message)
      },
    })
    return member
  }

  async take(count) {
    await waitFor(`${count} records came`, () => this.messages.length >= count)
    return this.messages.slice(0, count)
  }

  stop() {
    return this.consumer.disconnect()
  }
}

async function read(topic, count, offset = null) {
  const member = await Member.start(topic)
  if (offset !== null) member.consumer.seek({ topic, partition: 0, offset: String(offset) })
  const messages = await member.take(count)
  await member.stop()
  return messages
}

const text = (buffer) => (buffer === null ? null : buffer.toString())

async function roundTrip(sending = {}, settings = {}) {
  const topic = await newTopic()
  const records = Array.from({ length: 100 }, (_, i) => ({ key: `k${i}`, value: `value ${i} `.repeat(20) }))
  await produce(topic, records, settings, sending)
  const found = await read(topic, 100)
  assert.deepStrictEqual(found.map((m) => ({ key: text(m.key), value: text(m.value) })), records)
}

/** Waits until all partitions are assigned, none of them twice; returns how many each has. */
function share(partitions, ...members) {
  return waitFor(`${partitions} partitions shared by ${members.length} members`, () => {
    const owned = members.flatMap((member) => member.assigned)
    const each = members.map((member) => member.assigned.length)
    const whole = owned.length === partitions && new Set(owned).size === partitions
    return whole && Math.min(...each) > 0 && each
  })
}

const commit = (member, topic, groupOffset) =>
  member.consumer.commitOffsets([{ topic, partition: 0, offset: String(groupOffset) }])

const listed = async (groupId) => (await admin.listGroups()).groups.some((group) => group.groupId === groupId)

const jobs = {
  async create_topics() {
    const topic = await newTopic(3)
    assert((await admin.listTopics()).includes(topic))
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
    assert.strictEqual(topics[0].partitions.length, 3)
    // kafkajs answers `false` for a topic that is there already.
    assert.strictEqual(await admin.createTopics({ topics: [{ topic, numPartitions: 3 }] }), false)
  },
  produce_none: () => roundTrip(),
  produce_gzip: () => roundTrip({ compression: CompressionTypes.GZIP }),
  produce_snappy: () => roundTrip({ compression: CompressionTypes.Snappy }),
  produce_lz4: () => roundTrip({ compression: CompressionTypes.LZ4 }),
  produce_zstd: () => roundTrip({ compression: CompressionTypes.ZSTD }),

  async keys_headers_nulls() {
    const topic = await newTopic()
    await produce(topic, [{ key: 'key', value: 'value', headers: { a: ['1', ''], b: '2' } }, { value: '' }, { key: 'gone', value: null }])
    const [first, empty, none] = await read(topic, 3)
    assert.deepStrictEqual([first.headers.a.map(text), text(first.headers.b)], [['1', ''], '2'])
    assert.strictEqual(text(first.key), 'key')
    assert.deepStrictEqual([empty.key, text(empty.value)], [null, ''])
    assert.deepStrictEqual([text(none.key), none.value], ['gone', null])
  },

  async large_values() {
    const topic = await newTopic()
    const values = [0, 1, 2, 3, 4].map((i) => Buffer.alloc(1_000_000, i))
    for (const value of values) await produce(topic, [{ value }])
    const found = await read(topic, 5)
    found.forEach((message, i) => assert(message.value.equals(values[i])))
  },

  async timestamps() {
    const topic = await newTopic()
    const start = 1_600_000_000_000
    await produce(topic, numbers(10).map((m, i) => ({ ...m, timestamp: String(start + i * 1000) })))
    const found = await read(topic, 10)
    assert.deepStrictEqual(found.map((m) => Number(m.timestamp)), numbers(10).map((_, i) => start + i * 1000))
    const [at] = await admin.fetchTopicOffsetsByTimestamp(topic, start + 4500)
    assert.strictEqual(at.offset, '5')
    const rest = await read(topic, 5, 5)
    assert(rest.some((m) => text(m.value) === '5'))
  },

  async idempotent() {
    const topic = await newTopic()
    const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 })
    await producer.connect()
    for (let i = 0; i < 1000; i += 100) {
      const messages = numbers(1000).slice(i, i + 100).map((m) => ({ ...m, partition: 0 }))
      const [sent] = await producer.send({ topic, messages })
      assert.strictEqual(sent.baseOffset, String(i))
    }
    await producer.disconnect()
    const found = await read(topic, 1000)
    assert.deepStrictEqual(found.map((m) => text(m.value)), numbers(1000).map((m) => m.value))
  },

  async acks_0() {
    const topic = await newTopic()
    await produce(topic, numbers(10), {}, { acks: 0 })
    await read(topic, 10)
  },
  acks_1: () => roundTrip({ acks: 1 }),
  acks_all: () => roundTrip({ acks: -1 }),

  async seek() {
    const topic = await newTopic()
    await produce(topic, numbers(20))
    const member = await Member.start(topic)
    await member.take(20)
    const before = member.messages.length
    member.consumer.seek({ topic, partition: 0, offset: '7' })
    await member.take(before + 13)
    assert.strictEqual(member.messages[before].offset, '7')
    await member.stop()
  },

  async groups() {
    const topic = await newTopic(4)
    const groupId = unique('group')
    const first = await Member.start(topic, { groupId })
    assert.deepStrictEqual(await share(4, first), [4])
    const second = await Member.start(topic, { groupId })
    assert.deepStrictEqual(await share(4, first, second), [2, 2])
    await second.stop()
    assert.deepStrictEqual(await share(4, first), [4])
    await first.stop()
  },

  async static_members() {
    throw new NotApplicable('kafkajs has no group.instance.id')
  },

  async groups_848() {
    throw new NotApplicable('kafkajs has no consumer protocol')
  },

  async cooperative() {
    throw new NotApplicable('kafkajs has no cooperative assignor')
  },

  async commit_resume() {
    const topic = await newTopic()
    const groupId = unique('group')
    await produce(topic, numbers(20))
    const first = await Member.start(topic, { groupId, limit: 12 })
    await first.take(12)
    await commit(first, topic, 12)
    await first.stop()
    const second = await Member.start(topic, { groupId })
    assert.strictEqual((await second.take(1))[0].offset, '12')
    const [committed] = await admin.fetchOffsets({ groupId, topics: [topic] })
    assert.strictEqual(committed.partitions[0].offset, '12')
    await second.stop()
  },

  async describe_groups() {
    const topic = await newTopic()
    const groupId = unique('group')
    await produce(topic, numbers(10))
    const member = await Member.start(topic, { groupId })
    await member.take(10)
    await commit(member, topic, 4)
    assert(await listed(groupId))
    const { groups: [described] } = await admin.describeGroups([groupId])
    assert.strictEqual(described.state, 'Stable')
    assert.strictEqual(described.members.length, 1)
    const assignment = AssignerProtocol.MemberAssignment.decode(described.members[0].memberAssignment)
    assert.deepStrictEqual(assignment.assignment, { [topic]: [0] })
    const [committed] = await admin.fetchOffsets({ groupId, topics: [topic] })
    const [end] = await admin.fetchTopicOffsets(topic)
    assert.strictEqual(end.high - committed.partitions[0].offset, 6)
    await member.stop()
  },

  async delete_records() {
    const topic = await newTopic()
    await produce(topic, numbers(10))
    // kafkajs looks for the leader only in the metadata that it has already.
    await admin.fetchTopicOffsets(topic)
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '6' }] })
    const [left] = await admin.fetchTopicOffsets(topic)
    assert.deepStrictEqual([left.low, left.high], ['6', '10'])
    assert.strictEqual((await read(topic, 1))[0].offset, '6')
  },

  async delete_groups() {
    const topic = await newTopic()
    const groupId = unique('group')
    await produce(topic, numbers(1))
    const member = await Member.start(topic, { groupId })
    await member.take(1)
    await commit(member, topic, 1)
    await member.stop()
    await admin.deleteGroups([groupId])
    assert(!(await listed(groupId)))
  },

  async transactions() {
    const [source, target] = [await newTopic(), await newTopic()]
    const [groupId, transactionalId] = [unique('group'), unique('transaction')]
    const transactional = async () => {
      const producer = kafka.producer({ transactionalId, idempotent: true, maxInFlightRequests: 1, retry: { retries: 2 } })
      await producer.connect()
      return producer
    }
    await produce(source, numbers(10))
    const member = await Member.start(source, { groupId })
    await member.take(10)
    await member.stop()
    const producer = await transactional()
    const send = async (value) => {
      const transaction = await producer.transaction()
      await transaction.send({ topic: target, messages: Array(10).fill({ partition: 0, value }) })
      await transaction.sendOffsets({ consumerGroupId: groupId, topics: [{ topic: source, partitions: [{ partition: 0, offset: '10' }] }] })
      return transaction
    }
    const committed = async () => (await admin.fetchOffsets({ groupId, topics: [source] }))[0].partitions[0].offset
    await (await send('aborted')).abort()
    assert.strictEqual(await committed(), '-1')
    await (await send('committed')).commit()
    assert.strictEqual(await committed(), '10')
    // What was aborted is there, in front, and left out.
    for (const [readUncommitted, value] of [[true, 'aborted'], [false, 'committed']]) {
      const reader = await Member.start(target, { readUncommitted })
      assert.deepStrictEqual((await reader.take(10)).map((m) => text(m.value)), Array(10).fill(value))
      await reader.stop()
    }
    const newer = await transactional()
    // This client takes its id when its first transaction begins.
    await (await newer.transaction()).abort()
    await assert.rejects(async () => (await send('fenced')).commit(), (error) => /PRODUCER_EPOCH|FENCED/.test(error.type || error.cause?.type))
    await producer.disconnect()
    await newer.disconnect()
  },

  async configs() {
    const topic = await newTopic(1, { 'retention.ms': '1234567' })
    const resource = { type: ConfigResourceTypes.TOPIC, name: topic }
    const described = async () => {
      const { resources } = await admin.describeConfigs({ resources: [resource], includeSynonyms: false })
      return Object.fromEntries(resources[0].configEntries.map((entry) => [entry.configName, entry.configValue]))
    }
    assert.strictEqual((await described())['retention.ms'], '1234567')
    // AlterConfigs, the only way that kafkajs has, replaces all of the topic's settings.
    await admin.alterConfigs({ validateOnly: false, resources: [{ ...resource, configEntries: [{ name: 'segment.bytes', value: '2097152' }] }] })
    const after = await described()
    assert.strictEqual(after['segment.bytes'], '2097152')
    assert.notStrictEqual(after['retention.ms'], '1234567')
  },

  async delete_topics() {
    const topic = await newTopic()
    await admin.deleteTopics({ topics: [topic] })
    await waitFor('the topic is gone', async () => !(await admin.listTopics()).includes(topic))
  },
}

async function main() {
  await admin.connect()
  for (const [name, job] of Object.entries(jobs)) {
    try {
      await job()
      console.log(`${name}\tok`)
    } catch (error) {
      if (!(error instanceof NotApplicable)) console.error(error)
      const status = error instanceof NotApplicable ? 'n/a' : 'FAIL'
      console.log(`${name}\t${status}\t${String(error.message).replace(/\s+/g, ' ').slice(0, 200)}`)
    }
  }
  await admin.disconnect()
}

main().then(() => process.exit(0))

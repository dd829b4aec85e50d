// Members that are franz-go, in the words that group_member.rs has: `join MEMBER GROUP PROTOCOL TOPIC`, `leave MEMBER`.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

var (
	ctx      = context.Background()
	speaking sync.Mutex
)

func say(words ...any) {
	speaking.Lock()
	defer speaking.Unlock()
	fmt.Println(words...)
}

// Whoever is in a group until it is told to leave.
type member interface {
	run()
	leave()
}

// reader reads the partitions that it gets in a consumer group.
type reader struct {
	name   string
	client *kgo.Client
	leaves atomic.Bool
	lock   sync.Mutex
	owned  map[int32]bool
}

func join(name, group, protocol, topic string) (member, error) {
	if protocol == "share" {
		return joinShareGroup(name, group, topic)
	}
	m := &reader{name: name, owned: map[int32]bool{}}
	balancer := map[string]kgo.GroupOpt{
		"classic": kgo.Balancers(kgo.RangeBalancer()), "cooperative": kgo.Balancers(kgo.CooperativeStickyBalancer()),
		"consumer": kgo.ServerSideBalancer(),
	}[protocol]
	client, err := kgo.NewClient(
		kgo.SeedBrokers(os.Getenv("BOOTSTRAP")), kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.SessionTimeout(20*time.Second),
		kgo.HeartbeatInterval(300*time.Millisecond), kgo.DisableAutoCommit(), kgo.BlockRebalanceOnPoll(), balancer,
		kgo.FetchMaxWait(100*time.Millisecond),
		kgo.OnPartitionsAssigned(m.changes(true)), kgo.OnPartitionsRevoked(m.changes(false)),
		kgo.OnPartitionsLost(func(_ context.Context, _ *kgo.Client, lost map[string][]int32) { say("failed", name, "lost", lost) }),
	)
	m.client = client
	return m, err
}

func (m *reader) changes(comes bool) func(context.Context, *kgo.Client, map[string][]int32) {
	return func(_ context.Context, _ *kgo.Client, changed map[string][]int32) {
		m.lock.Lock()
		defer m.lock.Unlock()
		for _, partitions := range changed {
			for _, partition := range partitions {
				if comes {
					m.owned[partition] = true
				} else {
					delete(m.owned, partition)
				}
			}
		}
		var owned []int32
		for partition := range m.owned {
			owned = append(owned, partition)
		}
		slices.Sort(owned)
		say("assigned", m.name, strings.Join(strings.Fields(strings.Trim(fmt.Sprint(owned), "[]")), ","))
	}
}

// read commits what it prints before it lets partitions go.
func (m *reader) read() error {
	for !m.leaves.Load() {
		limited, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		fetches := m.client.PollRecords(limited, 500)
		cancel()
		for _, failed := range fetches.Errors() {
			if !errors.Is(failed.Err, context.DeadlineExceeded) {
				return failed.Err
			}
		}
		fetches.EachRecord(func(record *kgo.Record) {
			say("record", m.name, record.Partition, record.Offset, string(record.Value))
		})
		for !fetches.Empty() {
			err := m.client.CommitRecords(ctx, fetches.Records()...)
			if err == nil {
				break
			}
			// The member's epoch has just changed; the next heartbeat tells it.
			if !errors.Is(err, kerr.StaleMemberEpoch) && !errors.Is(err, kerr.RebalanceInProgress) {
				return err
			}
		}
		m.client.AllowRebalance()
	}
	return nil
}

func (m *reader) leave() {
	m.leaves.Store(true)
}

func (m *reader) run() {
	if err := m.read(); err != nil {
		say("failed", m.name, err)
		return
	}
	m.client.CloseAllowingRebalance()
	say("left", m.name)
}

// taker takes records of a share group.
type taker struct {
	name   string
	client *kgo.Client
	leaves atomic.Bool
}

func joinShareGroup(name, group, topic string) (*taker, error) {
	client, err := kgo.NewClient(
		kgo.SeedBrokers(os.Getenv("BOOTSTRAP")), kgo.ShareGroup(group), kgo.ConsumeTopics(topic),
		kgo.FetchMaxWait(100*time.Millisecond),
		kgo.ShareAckCallback(func(_ *kgo.Client, results kgo.ShareAckResults) {
			if !results.Ok() {
				say("failed", name, results.Error())
			}
		}),
	)
	return &taker{name: name, client: client}, err
}

func (t *taker) leave() {
	t.leaves.Store(true)
}

func (t *taker) run() {
	for !t.leaves.Load() {
		limited, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		fetches := t.client.PollRecords(limited, 500)
		cancel()
		for _, failed := range fetches.Errors() {
			if !errors.Is(failed.Err, context.DeadlineExceeded) {
				say("failed", t.name, failed.Err)
				return
			}
		}
		fetches.EachRecord(func(record *kgo.Record) {
			say("record", t.name, record.Partition, record.Offset, string(record.Value))
			record.Ack(kgo.AckAccept)
		})
		if err := t.client.FlushAcks(ctx); err != nil {
			say("failed", t.name, err)
			return
		}
	}
	t.client.Close()
	say("left", t.name)
}

func main() {
	members := map[string]member{}
	var running sync.WaitGroup
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		if words[0] == "leave" {
			members[words[1]].leave()
			continue
		}
		m, err := join(words[1], words[2], words[3], words[4])
		if err != nil {
			say("failed", words[1], err)
			continue
		}
		members[words[1]] = m
		running.Go(m.run)
	}
	for _, m := range members {
		m.leave()
	}
	running.Wait()
}

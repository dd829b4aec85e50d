// franz-go copies records from a topic to the next, a transaction for what a poll has brought: copier FROM TO GROUP ID.
// Runs until its input is closed. Its session goes back to what is committed when a transaction is not.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

var ctx = context.Background()

func session(source, group, id string) (*kgo.GroupTransactSession, error) {
	return kgo.NewGroupTransactSession(
		kgo.SeedBrokers(os.Getenv("BOOTSTRAP")), kgo.TransactionalID(id), kgo.ConsumerGroup(group), kgo.ConsumeTopics(source),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.RequireStableFetchOffsets(), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.FetchMaxWait(50*time.Millisecond),
		kgo.TransactionTimeout(20*time.Second), kgo.SessionTimeout(4*time.Second), kgo.HeartbeatInterval(500*time.Millisecond),
		kgo.RetryBackoffFn(func(int) time.Duration { return 50 * time.Millisecond }),
	)
}

// copyOnce is one transaction; an error means that the session can do no more.
func copyOnce(s *kgo.GroupTransactSession, target, id string) error {
	limited, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	fetches := s.PollRecords(limited, 100)
	cancel()
	if fetches.NumRecords() == 0 {
		return nil
	}
	if err := s.Begin(); err != nil {
		return err
	}
	promise := kgo.AbortingFirstErrPromise(s.Client())
	fetches.EachRecord(func(record *kgo.Record) {
		copied := &kgo.Record{Topic: target, Partition: record.Partition, Key: record.Key, Value: record.Value}
		s.Produce(ctx, copied, promise.Promise())
	})
	failed := promise.Err()
	committed, err := s.End(ctx, failed == nil)
	if failed != nil || !committed {
		fmt.Fprintln(os.Stderr, id, "not committed:", failed, err)
	}
	return err
}

func main() {
	source, target, group, id := os.Args[1], os.Args[2], os.Args[3], os.Args[4]
	var ended atomic.Bool
	go func() {
		io.Copy(io.Discard, os.Stdin)
		ended.Store(true)
	}()
	for !ended.Load() {
		s, err := session(source, group, id)
		for err == nil && !ended.Load() {
			err = copyOnce(s, target, id)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, id, "starts anew:", err)
		}
		if s != nil {
			s.Close()
		}
	}
}

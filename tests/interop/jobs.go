// Package jobs is what the Go programs share: a list of jobs, each of which runs by itself and says how it went.
package jobs

import (
	"fmt"
	"os"
	"reflect"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"
)

const limit = 120 * time.Second

var (
	// Bootstrap is the broker's address.
	Bootstrap = os.Getenv("BOOTSTRAP")
	count     atomic.Int64
)

// Job is one of jobs.txt; it panics when it fails.
type Job struct {
	Name string
	Run  func()
}

// notApplicable says why a client cannot do a job.
type notApplicable string

// NotApplicable ends a job that the client cannot do.
func NotApplicable(reason string) {
	panic(notApplicable(reason))
}

// Unique is a topic, group or id that no other job has.
func Unique(prefix string) string {
	return fmt.Sprintf("%s-%d-%d", prefix, os.Getpid(), count.Add(1))
}

// Must ends the job on an error.
func Must(err error) {
	if err != nil {
		panic(err)
	}
}

// Get ends the job on an error, and returns the value otherwise.
func Get[T any](value T, err error) T {
	Must(err)
	return value
}

// Check ends the job with a message when the condition does not hold.
func Check(holds bool, otherwise ...any) {
	if !holds {
		panic(fmt.Sprint(otherwise...))
	}
}

// Same ends the job when the two are not deeply equal.
func Same(expected, found any) {
	if !reflect.DeepEqual(expected, found) {
		panic(fmt.Sprintf("%.80v is not %.80v", found, expected))
	}
}

// WaitFor waits for a condition of the client's own making, such as an assignment.
func WaitFor(what string, condition func() bool) {
	deadline := time.Now().Add(limit)
	for !condition() {
		Check(time.Now().Before(deadline), "not within ", limit, ": ", what)
		time.Sleep(5 * time.Millisecond)
	}
}

// RunAll runs the jobs one after the other and prints their results.
func RunAll(all []Job) {
	for _, job := range all {
		status, note := result(job)
		fmt.Printf("%s\t%s\t%s\n", job.Name, status, strings.Join(strings.Fields(note), " "))
	}
}

func result(job Job) (status, note string) {
	defer func() {
		switch reason := recover().(type) {
		case nil:
		case notApplicable:
			status, note = "n/a", string(reason)
		default:
			fmt.Fprintf(os.Stderr, "%s: %v\n%s\n", job.Name, reason, debug.Stack())
			status, note = "FAIL", fmt.Sprintf("%.200v", reason)
		}
	}()
	job.Run()
	return "ok", ""
}

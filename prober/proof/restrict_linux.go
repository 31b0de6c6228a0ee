package proof

import (
	"errors"

	"golang.org/x/sys/unix"
)

const (
	maxMemory  = 1 << 30 // of address space; ffmpeg needs about 300 MB of it for 1080p
	maxCPU     = 20      // seconds
	background = 10      // nice: probes come first
)

// restrict bounds a process that has just begun. It reads from a pipe of ours, so
// it has not gone far.
func restrict(pid int) error {
	for resource, most := range map[int]uint64{unix.RLIMIT_AS: maxMemory, unix.RLIMIT_CPU: maxCPU, unix.RLIMIT_FSIZE: 0} {
		err := unix.Prlimit(pid, resource, &unix.Rlimit{Cur: most, Max: most}, nil)
		if err != nil && !errors.Is(err, unix.ESRCH) { // it may have ended
			return err
		}
	}
	_ = unix.Setpriority(unix.PRIO_PROCESS, pid, background) // only a courtesy
	return nil
}

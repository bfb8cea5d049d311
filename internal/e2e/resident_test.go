package e2e

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"branchline/agent/outbox"
	"branchline/agent/uplink"
	"branchline/hub/broker"
	"branchline/hub/ingest"
	"branchline/hub/ledger"
	"branchline/internal/conf"
)

// What the test binary does instead of testing, when it is started as a process
// of its own.
const roleVariable, dirVariable, addrVariable = "BRANCHLINE_E2E_ROLE", "BRANCHLINE_E2E_DIR", "BRANCHLINE_E2E_ADDR"

func TestMain(m *testing.M) {
	role := map[string]func(ctx context.Context, dir string) error{"hub": hubProcess, "agent": agentProcess, "listen": listenProcess}[os.Getenv(roleVariable)]
	if role == nil {
		code := m.Run()
		for _, dir := range builds {
			_ = os.RemoveAll(dir)
		}
		os.Exit(code)
	}
	if err := role(context.Background(), os.Getenv(dirVariable)); err != nil {
		fmt.Println("failed:", err)
		os.Exit(1)
	}
	printPeak()
}

// printPeak prints the most memory that was resident since the process began,
// or since it was last asked, as the kernel counts it.
func printPeak() {
	status, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(status)) {
		if strings.HasPrefix(line, "VmHWM:") {
			fmt.Print(line)
		}
	}
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0)
}

// hubProcess serves until its input ends.
func hubProcess(ctx context.Context, dir string) error {
	l, err := ledger.Open(ctx, ledger.Config{Path: filepath.Join(dir, "ledger.db")}, quiet())
	if err != nil {
		return err
	}
	reg := prometheus.NewRegistry()
	cfg := broker.DefaultEmbeddedConfig()
	cfg.Listen = "127.0.0.1:0"
	b, err := broker.NewEmbedded(cfg, secrets, ingest.New(l, quiet(), reg), quiet(), reg)
	if err != nil {
		return err
	}
	fmt.Println(b.Addr())
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		_, _ = bufio.NewReader(os.Stdin).ReadByte()
		cancel()
	}()
	if err := b.Run(ctx); err != nil {
		return err
	}
	return l.Close()
}

// agentProcess runs until everything is acknowledged.
func agentProcess(ctx context.Context, dir string) error {
	cfg := outbox.DefaultConfig()
	cfg.Path, cfg.Branch = filepath.Join(dir, "outbox.db"), "BR01"
	store, err := outbox.Open(cfg, quiet(), nil)
	if err != nil {
		return err
	}
	printPeak() // of opening, which checks the whole file
	c := uplink.DefaultConfig()
	c.Branch, c.Server, c.Secret = "BR01", "mqtt://"+os.Getenv(addrVariable), conf.NewSecret(secret)
	u, err := uplink.New(c, store, quiet(), prometheus.NewRegistry())
	if err != nil {
		return err
	}
	start := time.Now()
	total := store.Streams()[0].Unsent()
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		for range time.Tick(2 * time.Millisecond) {
			if store.Streams()[0].Unsent() == 0 {
				cancel()
				return
			}
		}
	}()
	if err := u.Run(ctx); err != nil {
		return err
	}
	fmt.Printf("%.0f movements/s\n", float64(total)/time.Since(start).Seconds())
	return store.Close()
}

// BenchmarkBacklogResident is BenchmarkBacklog in two processes, for the most
// memory that each of them has resident.
func BenchmarkBacklogResident(b *testing.B) {
	if _, err := os.Stat("/proc/self/status"); err != nil {
		b.Skip("needs /proc")
	}
	process := func(role, dir, addr string) *exec.Cmd {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), roleVariable+"="+role, dirVariable+"="+dir, addrVariable+"="+addr)
		cmd.Stderr = os.Stderr
		return cmd
	}
	for b.Loop() {
		dir := b.TempDir()
		if err := fillOutbox(b, dir, 100_000).Close(); err != nil {
			b.Fatal(err)
		}
		hub := process("hub", dir, "")
		in, err := hub.StdinPipe()
		if err != nil {
			b.Fatal(err)
		}
		out, err := hub.StdoutPipe()
		if err != nil {
			b.Fatal(err)
		}
		if err := hub.Start(); err != nil {
			b.Fatal(err)
		}
		said := bufio.NewReader(out)
		addr, err := said.ReadString('\n')
		if err != nil {
			b.Fatal(err)
		}
		agent, err := process("agent", dir, strings.TrimSpace(addr)).Output()
		_ = in.Close()
		rest, _ := said.ReadString('\n')
		if err != nil || hub.Wait() != nil {
			b.Fatalf("%v: %s %s", err, agent, rest)
		}
		var rate, openKB, agentKB, hubKB float64
		if _, err := fmt.Sscanf(string(agent), "VmHWM: %f kB\n%f movements/s\nVmHWM: %f kB", &openKB, &rate, &agentKB); err != nil {
			b.Fatalf("%v: %q", err, agent)
		}
		if _, err := fmt.Sscanf(rest, "VmHWM: %f kB", &hubKB); err != nil {
			b.Fatalf("%v: %q", err, rest)
		}
		b.ReportMetric(rate, "movements/s")
		b.ReportMetric(openKB/1024, "agent_opening_MB")
		b.ReportMetric(agentKB/1024, "agent_sending_MB")
		b.ReportMetric(hubKB/1024, "hub_MB")
	}
}

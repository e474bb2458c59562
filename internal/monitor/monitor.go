// Package monitor runs a Prometheus, and an Alertmanager, that watch the apps of a Slipway: for the demo, and for tests against
// the real programs, which scripts/prometheus puts into bin/.
//
// What it guarantees:
//
//  1. [Start] returns once both answer that they are ready. What it has started ends with ctx, or with [Monitor.Stop].
//  2. Both listen on loopback, on free ports, and keep what they write in the directory given.
package monitor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"slipway/internal/auth"
)

// ErrNoPrograms: prometheus or alertmanager is not in the directory given.
var ErrNoPrograms = errors.New("prometheus or alertmanager is not there: run scripts/prometheus, which fetches them")

// Config says what is watched.
type Config struct {
	Programs string // directory with the programs prometheus and alertmanager
	Dir      string // for their configuration and data
	API      string // URL of Slipway
	Secret   string // of Slipway's own parts: both programs log in with it, by OAuth 2
	Rules    string // Prometheus's alerting rules, in YAML; empty: no Alertmanager is started
}

// Monitor is what runs.
type Monitor struct {
	URL     string // of Prometheus
	running []*program
}

// Start starts Prometheus, and with rules Alertmanager. When ctx ends they end too.
func Start(ctx context.Context, c Config) (*Monitor, error) {
	needed := []string{"prometheus"}
	if c.Rules != "" {
		needed = append(needed, "alertmanager")
	}
	for _, name := range needed {
		if _, err := os.Stat(filepath.Join(c.Programs, name)); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrNoPrograms, err)
		}
	}
	m := &Monitor{}
	if err := m.start(ctx, c); err != nil {
		return nil, errors.Join(err, m.Stop())
	}
	return m, nil
}

func (m *Monitor) start(ctx context.Context, c Config) error {
	manager := ""
	if c.Rules != "" {
		config, err := c.write("alertmanager.yml", fmt.Sprintf(alertmanagerConfig, c.API+"/v3/integrations/alertmanager", c.login("      ")))
		if err != nil {
			return err
		}
		if manager, err = m.run(ctx, c, "alertmanager", "--config.file="+config, "--storage.path="+filepath.Join(c.Dir, "alerts"),
			"--cluster.listen-address="); err != nil {
			return err
		}
	}
	config, err := c.prometheusConfig(manager)
	if err != nil {
		return err
	}
	m.URL, err = m.run(ctx, c, "prometheus", "--config.file="+config, "--storage.tsdb.path="+filepath.Join(c.Dir, "tsdb"))
	return err
}

// run starts a program on a free port and waits until it is ready; it gives its URL.
func (m *Monitor) run(ctx context.Context, c Config, name string, args ...string) (url string, err error) {
	p, err := launch(ctx, filepath.Join(c.Programs, name), append(args, "--web.listen-address=127.0.0.1:0")...)
	if err != nil {
		return "", err
	}
	m.running = append(m.running, p)
	return p.ready(ctx)
}

// Output is what they have logged.
func (m *Monitor) Output() string {
	var all bytes.Buffer
	for _, p := range m.running {
		fmt.Fprintf(&all, "--- %s\n%s", p.name, p.output)
	}
	return all.String()
}

// Stop ends them, and waits for that.
func (m *Monitor) Stop() error {
	var faults []error
	for _, p := range m.running {
		faults = append(faults, p.stop())
	}
	return errors.Join(faults...)
}

// The configurations. A rollout of a demo takes seconds, so everything is looked at more often than anybody needs elsewhere.
const (
	alertmanagerConfig = `route:
  receiver: slipway
  group_by: ["..."]
  group_wait: 100ms
  group_interval: 500ms
  repeat_interval: 1m
receivers:
- name: slipway
  webhook_configs:
  - url: %q
    send_resolved: true
    http_config:
%s`
	scraping = `global: {scrape_interval: 500ms, evaluation_interval: 500ms}
scrape_configs:
- job_name: slipway
  http_sd_configs:
  - url: %q
    refresh_interval: 500ms
%s`
	alerting = `rule_files: [%q]
alerting:
  alertmanagers:
  - static_configs: [{targets: [%q]}]
`
)

func (c Config) prometheusConfig(manager string) (path string, err error) {
	config := fmt.Sprintf(scraping, c.API+"/v3/integrations/prometheus/targets", c.login("    "))
	if manager != "" {
		rules, err := c.write("rules.yml", c.Rules)
		if err != nil {
			return "", err
		}
		config += fmt.Sprintf(alerting, rules, manager[len("http://"):])
	}
	return c.write("prometheus.yml", config)
}

// login is how both programs log in, behind an indent.
func (c Config) login(indent string) string {
	return fmt.Sprintf("%[1]soauth2: {client_id: %[2]q, client_secret: %[3]q, token_url: %[4]q}\n", indent, auth.ServiceUser, c.Secret, c.API+"/uaa/oauth/token")
}

// write writes a file that nobody else may read: there is a secret in it.
func (c Config) write(name, text string) (path string, err error) {
	path = filepath.Join(c.Dir, name)
	return path, os.WriteFile(path, []byte(text), 0o600)
}

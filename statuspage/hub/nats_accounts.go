package hub

import (
	"fmt"

	"github.com/nats-io/nats-server/v2/server"

	"streamcanary/prober/report"
)

// hubAccount has the journal and the assignments. It is the server's default
// account, whose name is part of the journal's path.
const hubAccount = "$G"

// natsAccounts gives every agent an account of its own, joined to the hub's by
// the few subjects that report.Permissions lists.
func natsAccounts(agents []NATSAgent) ([]*server.Account, []*server.User, error) {
	own := server.NewAccount(hubAccount)
	accounts := []*server.Account{own}
	users := make([]*server.User, 0, len(agents)+1)
	seen := map[string]bool{}
	for _, a := range agents {
		if err := report.CheckAgent(a.ID); err != nil {
			return nil, nil, fmt.Errorf("agent %q: %w", a.ID, err)
		}
		if seen[a.ID] {
			return nil, nil, fmt.Errorf("agent %q: listed twice", a.ID)
		}
		if a.Key == "" {
			return nil, nil, fmt.Errorf("agent %q: no key", a.ID)
		}
		seen[a.ID] = true
		p := report.AgentPermissions(a.ID)
		account := server.NewAccount(a.ID)
		if err := join(account, own, p); err != nil {
			return nil, nil, fmt.Errorf("agent %q: %w", a.ID, err)
		}
		accounts = append(accounts, account)
		users = append(users, &server.User{
			Username: a.ID,
			Password: a.Key.Reveal(),
			Account:  account,
			Permissions: &server.Permissions{
				Publish:   &server.SubjectPermission{Allow: p.Publish},
				Subscribe: &server.SubjectPermission{Allow: p.Subscribe},
			},
		})
	}
	return accounts, users, nil
}

// join exports from the hub's account what the agent's imports.
func join(agent, hub *server.Account, p report.Permissions) error {
	only := []*server.Account{agent}
	for _, subject := range p.Services {
		if err := hub.AddServiceExport(subject, only); err != nil {
			return fmt.Errorf("export of %s: %w", subject, err)
		}
		if err := agent.AddServiceImport(hub, subject, subject); err != nil {
			return fmt.Errorf("import of %s: %w", subject, err)
		}
	}
	for _, subject := range p.Streams {
		if err := hub.AddStreamExport(subject, only); err != nil {
			return fmt.Errorf("export of %s: %w", subject, err)
		}
		if err := agent.AddStreamImport(hub, subject, ""); err != nil {
			return fmt.Errorf("import of %s: %w", subject, err)
		}
	}
	return nil
}

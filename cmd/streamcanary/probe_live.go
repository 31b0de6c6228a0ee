package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
)

// probeLive shows frames on a terminal until it is closed. It takes the whole
// screen, and gives it back as it was.
type probeLive struct {
	program *tea.Program
	shown   sync.WaitGroup
	err     error
	once    sync.Once
}

// isLive says why there is no live view on f; nil is that there is one.
func isLive(f *os.File, getenv func(string) string) error {
	switch {
	case terminalWidth(f) == 0:
		return errors.New("stdout is no terminal")
	case getenv("TERM") == "" || getenv("TERM") == "dumb":
		return errors.New("the terminal cannot move its cursor")
	}
	return nil
}

// openLive begins to show. ctx's end closes it at once, so that what then still has
// to be ended, or a second signal, finds the terminal as it was. interrupt is called
// for Ctrl-C, which a terminal that takes single keys does not turn into a signal.
func openLive(ctx context.Context, f *os.File, environment []string, interrupt func()) *probeLive {
	l := &probeLive{}
	colour := colorprofile.Detect(f, environment) > colorprofile.ASCII
	l.program = tea.NewProgram(&liveModel{colour: colour, interrupt: interrupt}, tea.WithOutput(f), tea.WithInput(os.Stdin), tea.WithEnvironment(environment),
		tea.WithoutSignalHandler(), tea.WithFPS(10))
	l.shown.Go(func() {
		if _, err := l.program.Run(); err != nil {
			l.err = fmt.Errorf("the live view broke: %w; --plain does without", err)
			interrupt()
		}
	})
	context.AfterFunc(ctx, func() { _ = l.close() })
	return l
}

func (l *probeLive) show(f probeFrame) { l.program.Send(f) }

// close gives the terminal back.
func (l *probeLive) close() error {
	l.once.Do(func() {
		l.program.Quit()
		l.shown.Wait()
	})
	return l.err
}

// liveModel is the view as the library wants it.
type liveModel struct {
	frame         *probeFrame
	width, height int
	colour        bool
	interrupt     func()
}

func (m *liveModel) Init() tea.Cmd { return nil }

func (m *liveModel) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
	case probeFrame:
		m.frame = &msg
	case tea.KeyPressMsg:
		switch msg.String() {
		case "ctrl+c", "q":
			m.interrupt()
		case "ctrl+z":
			return m, tea.Suspend
		}
	}
	return m, nil
}

func (m *liveModel) View() tea.View {
	v := tea.View{AltScreen: true, DisableBracketedPasteMode: true}
	if m.frame != nil && m.width > 0 {
		v.Content = m.frame.render(m.width, m.height, m.colour)
	}
	return v
}

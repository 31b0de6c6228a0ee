package web

import (
	"cmp"
	"slices"
	"time"

	"streamcanary/statuspage"
)

// The documents of the Statuspage API v2. Strict clients refuse an unknown key,
// so these structs hold exactly the keys of the captured documents, in their
// order; whatever else is worth telling has its place elsewhere.

type summaryDocument struct {
	Page         pageObject          `json:"page"`
	Components   []componentObject   `json:"components"`
	Incidents    []incidentObject    `json:"incidents"`
	Maintenances []maintenanceObject `json:"scheduled_maintenances"`
	Status       statusObject        `json:"status"`
}

type statusDocument struct {
	Page   pageObject   `json:"page"`
	Status statusObject `json:"status"`
}

type componentsDocument struct {
	Page       pageObject        `json:"page"`
	Components []componentObject `json:"components"`
}

type incidentsDocument struct {
	Page      pageObject       `json:"page"`
	Incidents []incidentObject `json:"incidents"`
}

type incidentDocument struct {
	Page     pageObject     `json:"page"`
	Incident incidentObject `json:"incident"`
}

type maintenancesDocument struct {
	Page         pageObject          `json:"page"`
	Maintenances []maintenanceObject `json:"scheduled_maintenances"`
}

type pageObject struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	URL       string    `json:"url"`
	TimeZone  string    `json:"time_zone"`
	UpdatedAt timestamp `json:"updated_at"`
}

type statusObject struct {
	Indicator   string `json:"indicator"`
	Description string `json:"description"`
}

type componentObject struct {
	ID                 string    `json:"id"`
	Name               string    `json:"name"`
	Status             string    `json:"status"`
	CreatedAt          timestamp `json:"created_at"`
	UpdatedAt          timestamp `json:"updated_at"`
	Position           int       `json:"position"`
	Description        *string   `json:"description"`
	Showcase           bool      `json:"showcase"`
	StartDate          *string   `json:"start_date"`
	GroupID            *string   `json:"group_id"`
	PageID             string    `json:"page_id"`
	Group              bool      `json:"group"`
	OnlyShowIfDegraded bool      `json:"only_show_if_degraded"`
	Components         []string  `json:"components,omitempty"` // of a group; a component has no such key
}

type incidentObject struct {
	ID           string            `json:"id"`
	Name         string            `json:"name"`
	Status       string            `json:"status"`
	CreatedAt    timestamp         `json:"created_at"`
	UpdatedAt    timestamp         `json:"updated_at"`
	MonitoringAt timestamp         `json:"monitoring_at"`
	ResolvedAt   timestamp         `json:"resolved_at"`
	Impact       string            `json:"impact"`
	Shortlink    string            `json:"shortlink"`
	StartedAt    timestamp         `json:"started_at"`
	PageID       string            `json:"page_id"`
	Updates      []updateObject    `json:"incident_updates"`
	Components   []componentObject `json:"components"`
	Reminders    *string           `json:"reminder_intervals"`
}

type updateObject struct {
	ID                   string           `json:"id"`
	Status               string           `json:"status"`
	Body                 string           `json:"body"`
	IncidentID           string           `json:"incident_id"`
	CreatedAt            timestamp        `json:"created_at"`
	UpdatedAt            timestamp        `json:"updated_at"`
	DisplayAt            timestamp        `json:"display_at"`
	Affected             []affectedObject `json:"affected_components"` // null when the update names none
	DeliverNotifications bool             `json:"deliver_notifications"`
	CustomTweet          *string          `json:"custom_tweet"`
	TweetID              *string          `json:"tweet_id"`
}

type affectedObject struct {
	Code      string `json:"code"`
	Name      string `json:"name"`
	OldStatus string `json:"old_status"`
	NewStatus string `json:"new_status"`
}

// timestamp is RFC 3339 with exactly three digits after the second, in UTC, or
// null for the zero time.
type timestamp time.Time

// MarshalJSON implements json.Marshaler.
func (t timestamp) MarshalJSON() ([]byte, error) {
	if time.Time(t).IsZero() {
		return []byte("null"), nil
	}
	return []byte(time.Time(t).UTC().Format(`"2006-01-02T15:04:05.000Z"`)), nil
}

// nullable is null for "": captured documents never hold an empty string there.
func nullable(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func pageOf(p statuspage.Page) pageObject {
	return pageObject{ID: p.ID, Name: p.Name, URL: p.URL, TimeZone: "Etc/UTC", UpdatedAt: timestamp(p.UpdatedAt)}
}

func statusOf(p statuspage.Page) statusObject {
	return statusObject{Indicator: string(p.Status.Indicator), Description: p.Status.Description}
}

// componentsOf lists groups and their children in one array, by position.
func componentsOf(p statuspage.Page) []componentObject {
	list := []componentObject{}
	for _, g := range p.Groups {
		if g.ID != "" {
			list = append(list, groupOf(p.ID, g))
		}
		for _, c := range g.Components {
			list = append(list, componentOf(p.ID, g.ID, c))
		}
	}
	slices.SortStableFunc(list, func(a, b componentObject) int { return cmp.Compare(a.Position, b.Position) })
	return list
}

func groupOf(page string, g statuspage.Group) componentObject {
	o := componentObject{
		ID: g.ID, Name: g.Name, Status: string(g.Status), Position: g.Position, PageID: page, Group: true,
		CreatedAt: timestamp(g.CreatedAt), UpdatedAt: timestamp(g.CreatedAt), // of the heading, not of its children
	}
	for _, c := range g.Components {
		o.Components = append(o.Components, c.ID)
	}
	return o
}

func componentOf(page, group string, c statuspage.Component) componentObject {
	return componentObject{
		ID: c.ID, Name: c.Name, Status: string(c.Status), Position: c.Position, PageID: page, Showcase: true,
		CreatedAt: timestamp(c.CreatedAt), UpdatedAt: timestamp(c.UpdatedAt),
		Description: nullable(c.Description), StartDate: nullable(c.StartDate), GroupID: nullable(group),
	}
}

func incidentsOf(p statuspage.Page, incidents []statuspage.Incident) []incidentObject {
	byID := map[string]componentObject{}
	for _, c := range componentsOf(p) {
		byID[c.ID] = c
	}
	list := []incidentObject{}
	for _, i := range incidents {
		list = append(list, incidentOf(p, byID, i))
	}
	return list
}

func incidentOf(p statuspage.Page, byID map[string]componentObject, i statuspage.Incident) incidentObject {
	o := incidentObject{
		ID: i.ID, Name: i.Name, Status: string(i.Phase), Impact: string(i.Impact), PageID: p.ID,
		CreatedAt: timestamp(i.CreatedAt), UpdatedAt: timestamp(i.UpdatedAt), StartedAt: timestamp(i.StartedAt),
		MonitoringAt: timestamp(i.MonitoringAt), ResolvedAt: timestamp(i.ResolvedAt),
		Shortlink:  permalink(p, i),
		Updates:    []updateObject{},
		Components: []componentObject{},
	}
	for _, u := range i.Updates {
		o.Updates = append(o.Updates, updateOf(i.ID, u))
	}
	for _, name := range i.Components {
		if c, ok := byID[name.ID]; ok {
			o.Components = append(o.Components, c)
		}
	}
	return o
}

func updateOf(incident string, u statuspage.Update) updateObject {
	at := timestamp(u.At)
	o := updateObject{
		ID: u.ID, Status: string(u.Phase), Body: u.Body, IncidentID: incident,
		CreatedAt: at, UpdatedAt: at, DisplayAt: at, DeliverNotifications: true,
	}
	for _, a := range u.Affected {
		o.Affected = append(o.Affected, affectedObject{a.ID, a.Name, string(a.Old), string(a.New)})
	}
	return o
}

func permalink(p statuspage.Page, i statuspage.Incident) string {
	return p.URL + "/incidents/" + i.ID
}

package web

import (
	"encoding/xml"
	"fmt"
	"html"
	"net/url"
	"strings"
	"time"

	"streamcanary/statuspage"
)

// Atom (RFC 4287) and RSS 2.0, as Statuspage's feeds are: one entry per
// incident, revised in place as updates come.

type atomFeed struct {
	XMLName xml.Name    `xml:"http://www.w3.org/2005/Atom feed"`
	Lang    string      `xml:"xml:lang,attr"`
	ID      string      `xml:"id"`
	Links   []atomLink  `xml:"link"`
	Title   string      `xml:"title"`
	Updated string      `xml:"updated"`
	Author  string      `xml:"author>name"`
	Entries []atomEntry `xml:"entry"`
}

type atomLink struct {
	Rel  string `xml:"rel,attr"`
	Type string `xml:"type,attr"`
	Href string `xml:"href,attr"`
}

type atomEntry struct {
	ID        string      `xml:"id"`
	Published string      `xml:"published"`
	Updated   string      `xml:"updated"`
	Link      atomLink    `xml:"link"`
	Title     string      `xml:"title"`
	Content   atomContent `xml:"content"`
}

type atomContent struct {
	Type string `xml:"type,attr"`
	HTML string `xml:",chardata"`
}

func atom(p statuspage.Page) (answer, error) {
	host := hostOf(p.URL)
	feed := atomFeed{
		Lang: "en-US",
		ID:   "tag:" + host + ",2005:/history",
		Links: []atomLink{
			{Rel: "alternate", Type: "text/html", Href: p.URL},
			{Rel: "self", Type: "application/atom+xml", Href: p.URL + "/history.atom"},
		},
		Title:   feedTitle(p),
		Updated: p.UpdatedAt.UTC().Format(time.RFC3339),
		Author:  p.Name,
	}
	for _, i := range listed(p) {
		at := i.UpdatedAt.UTC().Format(time.RFC3339)
		feed.Entries = append(feed.Entries, atomEntry{
			ID: "tag:" + host + ",2005:Incident/" + i.ID, Published: at, Updated: at,
			Link:    atomLink{Rel: "alternate", Type: "text/html", Href: permalink(p, i)},
			Title:   i.Name,
			Content: atomContent{Type: "html", HTML: updatesHTML(i)},
		})
	}
	return xmlAnswer("application/atom+xml; charset=utf-8", feed)
}

type rssFeed struct {
	XMLName xml.Name   `xml:"rss"`
	Version string     `xml:"version,attr"`
	DC      string     `xml:"xmlns:dc,attr"`
	Channel rssChannel `xml:"channel"`
}

type rssChannel struct {
	Title       string    `xml:"title"`
	Link        string    `xml:"link"`
	Description string    `xml:"description"`
	PubDate     string    `xml:"pubDate"`
	Items       []rssItem `xml:"item"`
}

type rssItem struct {
	Title       string `xml:"title"`
	Description string `xml:"description"`
	PubDate     string `xml:"pubDate"`
	Link        string `xml:"link"`
	GUID        string `xml:"guid"`
}

func rss(p statuspage.Page) (answer, error) {
	feed := rssFeed{
		Version: "2.0", DC: "http://purl.org/dc/elements/1.1/",
		Channel: rssChannel{
			Title: feedTitle(p), Link: p.URL, Description: "Statuspage",
			PubDate: p.UpdatedAt.UTC().Format(time.RFC1123Z),
		},
	}
	for _, i := range listed(p) {
		feed.Channel.Items = append(feed.Channel.Items, rssItem{
			Title: i.Name, Description: updatesHTML(i), PubDate: i.UpdatedAt.UTC().Format(time.RFC1123Z),
			Link: permalink(p, i), GUID: permalink(p, i),
		})
	}
	return xmlAnswer("application/rss+xml; charset=utf-8", feed)
}

func feedTitle(p statuspage.Page) string { return p.Name + " Status - Incident History" }

func hostOf(pageURL string) string {
	if u, err := url.Parse(pageURL); err == nil && u.Hostname() != "" {
		return u.Hostname()
	}
	return "localhost"
}

// updatesHTML is an incident's updates, newest first, in the markup that readers
// of Statuspage's feeds know.
func updatesHTML(i statuspage.Incident) string {
	var b strings.Builder
	for _, u := range i.Updates {
		label := statuspage.PhaseText(u.Phase)
		if u.Repeats {
			label = "Update"
		}
		at := u.At.UTC()
		fmt.Fprintf(&b, "<p><small>%s <var data-var='date'>%2d</var>, <var data-var='time'>%s</var> UTC</small><br>"+
			"<strong>%s</strong> - %s</p>",
			at.Format("Jan"), at.Day(), at.Format("15:04"), html.EscapeString(label), bodyHTML(u.Body))
	}
	return b.String()
}

func bodyHTML(body string) string {
	return strings.ReplaceAll(html.EscapeString(body), "\n", "<br />")
}

func xmlAnswer(contentType string, document any) (answer, error) {
	body, err := xml.MarshalIndent(document, "", "  ")
	if err != nil {
		return answer{}, fmt.Errorf("encode feed: %w", err)
	}
	return answer{
		contentType: contentType, cache: cacheShort, crossOrigin: true,
		body: append([]byte(xml.Header), body...),
	}, nil
}

package config

import "time"

// These are the files as they are written. What they become is in hub.go and
// agent.go. The annotated examples in deploy explain every key.

type hubFile struct {
	Installation string          `mapstructure:"installation"`
	Page         pageFile        `mapstructure:"page"`
	HTTP         httpFile        `mapstructure:"http"`
	Data         string          `mapstructure:"data"`
	NATS         natsFile        `mapstructure:"nats"`
	Alerts       *alertsFile     `mapstructure:"alerts"`
	Targets      []targetFile    `mapstructure:"targets"`
	Probes       []probeFile     `mapstructure:"probes"`
	Agents       []vantageFile   `mapstructure:"agents"`
	Matrix       matrixFile      `mapstructure:"matrix"`
	Budget       byteSize        `mapstructure:"budget"`
	Controls     controlsFile    `mapstructure:"controls"`
	Groups       []namedFile     `mapstructure:"groups"`
	Components   []componentFile `mapstructure:"components"`
	Words        wordsFile       `mapstructure:"words"`
	Policy       policyFile      `mapstructure:"policy"`
	Maintenance  []workFile      `mapstructure:"maintenance"`
}

type pageFile struct {
	Name string `mapstructure:"name"`
	URL  string `mapstructure:"url"`
}

type httpFile struct {
	Listen string `mapstructure:"listen"`
}

type natsFile struct {
	Listen      string   `mapstructure:"listen"`
	TLSCertFile string   `mapstructure:"tls_cert_file"`
	TLSKeyFile  string   `mapstructure:"tls_key_file"`
	SyncAlways  bool     `mapstructure:"sync_always"`
	MaxBytes    byteSize `mapstructure:"max_bytes"`
}

type alertsFile struct {
	Token     secretText    `mapstructure:"token"`
	TokenFile string        `mapstructure:"token_file"`
	Webhooks  []webhookFile `mapstructure:"webhooks"`
	People    []personFile  `mapstructure:"people"`
}

type personFile struct {
	ID        string     `mapstructure:"id"`
	Token     secretText `mapstructure:"token"`
	TokenFile string     `mapstructure:"token_file"`
}

type webhookFile struct {
	ID         string     `mapstructure:"id"`
	URL        secretText `mapstructure:"url"` // many receivers have their token in it
	URLFile    string     `mapstructure:"url_file"`
	Secret     secretText `mapstructure:"secret"`
	SecretFile string     `mapstructure:"secret_file"`
}

type targetFile struct {
	ID        string         `mapstructure:"id"`
	Name      string         `mapstructure:"name"`
	Platform  platformFile   `mapstructure:"platform"`
	Regions   []namedFile    `mapstructure:"regions"`
	Ingests   []endpointFile `mapstructure:"ingests"`
	RTMP      *rtmpFile      `mapstructure:"rtmp"`
	Playbacks []endpointFile `mapstructure:"playbacks"`
	Pull      *pullingFile   `mapstructure:"pull"`
	Broadcast *signalFile    `mapstructure:"broadcast"`
}

type signalFile struct {
	Width    int           `mapstructure:"width"`
	Height   int           `mapstructure:"height"`
	FPS      int           `mapstructure:"fps"`
	Keyframe time.Duration `mapstructure:"keyframe"`
	Bitrate  int           `mapstructure:"bitrate"`
	Audio    *bool         `mapstructure:"audio"`
	Video    *bool         `mapstructure:"video"`
}

type platformFile struct {
	Type       string     `mapstructure:"type"`
	API        string     `mapstructure:"api"`
	APIKey     secretText `mapstructure:"api_key"`
	APIKeyFile string     `mapstructure:"api_key_file"`
	APIKeyID   string     `mapstructure:"api_key_id"`
	Account    string     `mapstructure:"account"`
	Test       bool       `mapstructure:"test"`

	Profiles []profileFile `mapstructure:"profiles"`

	Headers   []headerFile `mapstructure:"headers"`
	Create    *callFile    `mapstructure:"create"`
	Resolve   *callFile    `mapstructure:"resolve"`
	Delete    *callFile    `mapstructure:"delete"`
	List      *callFile    `mapstructure:"list"`
	Recording *callFile    `mapstructure:"recording"`
}

type profileFile struct {
	Name    string `mapstructure:"name"`
	Width   int    `mapstructure:"width"`
	Height  int    `mapstructure:"height"`
	Bitrate int    `mapstructure:"bitrate"`
	FPS     int    `mapstructure:"fps"`
}

type headerFile struct {
	Name      string     `mapstructure:"name"`
	Value     secretText `mapstructure:"value"`
	ValueFile string     `mapstructure:"value_file"`
}

type callFile struct {
	Method      string    `mapstructure:"method"`
	Path        string    `mapstructure:"path"`
	Body        string    `mapstructure:"body"`
	ContentType string    `mapstructure:"content_type"`
	Status      []int     `mapstructure:"status"`
	Take        *takeFile `mapstructure:"take"`
	Items       string    `mapstructure:"items"`
	Next        string    `mapstructure:"next"`
}

type takeFile struct {
	ID       string `mapstructure:"id"`
	Key      string `mapstructure:"key"`
	Playback string `mapstructure:"playback"`
	PushURL  string `mapstructure:"push_url"`
	PlayURL  string `mapstructure:"play_url"`
	Name     string `mapstructure:"name"`
	Created  string `mapstructure:"created"`
}

type namedFile struct {
	ID   string `mapstructure:"id"`
	Name string `mapstructure:"name"`
}

type endpointFile struct {
	ID     string `mapstructure:"id"`
	Region string `mapstructure:"region"`
	URL    string `mapstructure:"url"`
	Node   string `mapstructure:"node"`
}

type rtmpFile struct {
	User         string     `mapstructure:"user"`
	Password     secretText `mapstructure:"password"`
	PasswordFile string     `mapstructure:"password_file"`
	CAFile       string     `mapstructure:"ca_file"`
	Enhanced     bool       `mapstructure:"enhanced"`
	EveryAddress bool       `mapstructure:"every_address"`
	Timestamps   string     `mapstructure:"timestamps"`
}

type probeFile struct {
	Kind    string        `mapstructure:"kind"`
	Target  string        `mapstructure:"target"`
	Every   time.Duration `mapstructure:"every"`
	Cron    string        `mapstructure:"cron"`
	Timeout time.Duration `mapstructure:"timeout"`

	Jitter      time.Duration `mapstructure:"jitter"`
	RotateAfter time.Duration `mapstructure:"rotate_after"`
	Rotate      string        `mapstructure:"rotate"`

	Checks    []checkFile   `mapstructure:"checks"`
	Streams   []pullFile    `mapstructure:"streams"`
	Broadcast time.Duration `mapstructure:"broadcast"`
	Within    time.Duration `mapstructure:"within"`
	Tolerance time.Duration `mapstructure:"tolerance"`
	URL       string        `mapstructure:"url"`
}

type checkFile struct {
	Name            string        `mapstructure:"name"`
	URL             string        `mapstructure:"url"`
	Method          string        `mapstructure:"method"`
	Headers         []headerFile  `mapstructure:"headers"`
	Body            string        `mapstructure:"body"`
	Status          []int         `mapstructure:"status"`
	Path            string        `mapstructure:"path"`
	Want            *string       `mapstructure:"want"`
	MaxLatency      time.Duration `mapstructure:"max_latency"`
	CertificateDays int           `mapstructure:"certificate_days"`
}

type pullFile struct {
	Name     string `mapstructure:"name"`
	Playback string `mapstructure:"playback"`
	URL      string `mapstructure:"url"`
	Expect   string `mapstructure:"expect"`
}

type vantageFile struct {
	ID      string     `mapstructure:"id"`
	Site    string     `mapstructure:"site"`
	Region  string     `mapstructure:"region"`
	Key     secretText `mapstructure:"key"`
	KeyFile string     `mapstructure:"key_file"`
	Budget  byteSize   `mapstructure:"budget"`
}

type matrixFile struct {
	SampleEvery time.Duration `mapstructure:"sample_every"`
	SampleBound time.Duration `mapstructure:"sample_bound"`
}

type controlsFile struct {
	Reference   string        `mapstructure:"reference"`
	ClockServer string        `mapstructure:"clock_server"`
	CPU         float64       `mapstructure:"cpu"`
	Late        time.Duration `mapstructure:"late"`
	Clock       time.Duration `mapstructure:"clock"`
	Loss        float64       `mapstructure:"loss"`
}

type componentFile struct {
	ID          string   `mapstructure:"id"`
	Name        string   `mapstructure:"name"`
	Description string   `mapstructure:"description"`
	Group       string   `mapstructure:"group"`
	StartDate   dateText `mapstructure:"start_date"`
	Elements    []string `mapstructure:"elements"`
	Publish     string   `mapstructure:"publish"`
}

type workFile struct {
	ID         string        `mapstructure:"id"`
	Name       string        `mapstructure:"name"`
	Message    string        `mapstructure:"message"`
	Components []string      `mapstructure:"components"`
	Regions    []string      `mapstructure:"regions"`
	StartsAt   timeText      `mapstructure:"starts_at"`
	EndsAt     timeText      `mapstructure:"ends_at"`
	Cron       string        `mapstructure:"cron"`
	Duration   time.Duration `mapstructure:"duration"`
	Announce   time.Duration `mapstructure:"announce"`
}

type wordsFile struct {
	Opened     string `mapstructure:"opened"`
	Updated    string `mapstructure:"updated"`
	Unchanged  string `mapstructure:"unchanged"`
	Monitoring string `mapstructure:"monitoring"`
	Resolved   string `mapstructure:"resolved"`
}

type policyFile struct {
	Quorum            *int          `mapstructure:"quorum"`
	Threshold         *float64      `mapstructure:"threshold"`
	FalseOpenings     float64       `mapstructure:"false_openings"`
	RecoveryThreshold float64       `mapstructure:"recovery_threshold"`
	Hold              time.Duration `mapstructure:"hold"`
	JoinWindow        time.Duration `mapstructure:"join_window"`
	OpenSettle        time.Duration `mapstructure:"open_settle"`
	UpdateSettle      time.Duration `mapstructure:"update_settle"`
	RecoverySettle    time.Duration `mapstructure:"recovery_settle"`
	ConfirmRounds     int           `mapstructure:"confirm_rounds"`
	ConfirmSpacing    time.Duration `mapstructure:"confirm_spacing"`
	LateAfter         time.Duration `mapstructure:"late_after"`
	SilentAfter       time.Duration `mapstructure:"silent_after"`
	UnknownAfter      time.Duration `mapstructure:"unknown_after"`
	ContradictedAfter time.Duration `mapstructure:"contradicted_after"`
	ChangeWindow      time.Duration `mapstructure:"change_window"`
	UpdateEvery       time.Duration `mapstructure:"update_every"`
	UpdateGap         time.Duration `mapstructure:"update_gap"`
	ApproveWithin     time.Duration `mapstructure:"approve_within"`
	Unapproved        string        `mapstructure:"unapproved"`
	Kinds             []kindFile    `mapstructure:"kinds"`
}

type kindFile struct {
	Kind         string         `mapstructure:"kind"`
	P0           *float64       `mapstructure:"p0"`
	P1           *float64       `mapstructure:"p1"`
	AgainP0      *float64       `mapstructure:"again_p0"`
	RoundTimeout *time.Duration `mapstructure:"round_timeout"`
}

type agentFile struct {
	Hub     string     `mapstructure:"hub"`
	ID      string     `mapstructure:"id"`
	Site    string     `mapstructure:"site"`
	Region  string     `mapstructure:"region"`
	Key     secretText `mapstructure:"key"`
	KeyFile string     `mapstructure:"key_file"`
	Data    string     `mapstructure:"data"`
	CAFile  string     `mapstructure:"ca_file"`

	Reference   string `mapstructure:"reference"`
	ClockServer string `mapstructure:"clock_server"`
	FFmpeg      string `mapstructure:"ffmpeg"`
}

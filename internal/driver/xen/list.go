package xen

import (
	"encoding/json"
	"fmt"
	"strings"
)

// config is what `xl list -l` says of one domain: libxl's domain configuration
// (tools/libs/light/libxl_types.idl), of which what concerns us is read.
type config struct {
	ID     *int `json:"domid"`
	Config struct {
		Create struct {
			Name string `json:"name"`
			Type string `json:"type"` // pv, pvh, hvm
		} `json:"c_info"`
		Build struct {
			VCPUs          int    `json:"max_vcpus"`
			MaxKiB         int64  `json:"max_memkb"`
			DisableMigrate string `json:"disable_migrate"` // True, False
			HVM            struct {
				USB  string   `json:"usbdevice"`
				USBs []string `json:"usbdevice_list"`
			} `json:"type.hvm"`
		} `json:"b_info"`
		Disks []disk `json:"disks"`
		NICs  []struct {
			Bridge string `json:"bridge"`
		} `json:"nics"`
		PCI []struct {
			Domain int `json:"domain"`
			Bus    int `json:"bus"`
			Dev    int `json:"dev"`
			Func   int `json:"func"`
		} `json:"pcidevs"`
		USB []struct {
			Type struct {
				Bus  int `json:"hostbus"`
				Addr int `json:"hostaddr"`
			} `json:"type.hostdev"`
		} `json:"usbdevs"`
		DT []struct {
			Path string `json:"path"`
		} `json:"dtdevs"`
	} `json:"config"`
}

// disk is libxl_device_disk; a backend outside of dom0 has a number or a name.
type disk struct {
	BackendID   int    `json:"backend_domid"`
	BackendName string `json:"backend_domname"`
	Path        string `json:"pdev_path"`
	Device      string `json:"vdev"`
	Backend     string `json:"backend"` // phy, tap, qdisk, standalone
	Script      string `json:"script"`
	CDROM       int    `json:"is_cdrom"`
}

// parseConfigs reads the list. Domains without a configuration, like dom0 on some hosts and those that
// are being made, are not in it; an empty output is no domain at all.
func parseConfigs(out string) ([]config, error) {
	if strings.TrimSpace(out) == "" {
		return nil, nil
	}
	var all []config
	if err := json.Unmarshal([]byte(out), &all); err != nil {
		return nil, fmt.Errorf("xl list -l: %w", err)
	}
	for n, c := range all {
		if c.ID == nil {
			return nil, fmt.Errorf("xl list -l: entry %d has no domid", n+1)
		}
	}
	return all, nil
}

// devices are those of the host that the domain holds.
func (c *config) devices() (held []string) {
	for _, d := range c.Config.PCI {
		held = append(held, fmt.Sprintf("%04x:%02x:%02x.%x", d.Domain, d.Bus, d.Dev, d.Func))
	}
	for _, d := range c.Config.USB {
		held = append(held, fmt.Sprintf("usb %d.%d", d.Type.Bus, d.Type.Addr))
	}
	for _, d := range c.Config.DT {
		held = append(held, d.Path)
	}
	for _, name := range append([]string{c.Config.Build.HVM.USB}, c.Config.Build.HVM.USBs...) {
		if strings.HasPrefix(name, "host:") { // the emulated ones are tablet, mouse and such
			held = append(held, "usb "+strings.TrimPrefix(name, "host:"))
		}
	}
	return held
}

// mib is the memory in full, rounded up: a domain that gave some back may take it again.
func (c *config) mib() int64 {
	kib := max(c.Config.Build.MaxKiB, 0)
	return kib>>10 + min(kib&1023, 1)
}

using System.ComponentModel.DataAnnotations;

namespace ConntrackStream.Sinks.Reclassify;

/// <summary><c>Reclassify</c>: which flows belong on which uplink, and what may be done about those that are on another.</summary>
public sealed class ReclassifyOptions : IValidatableObject
{
    /// <summary>Reclassify at all. Default false.</summary>
    public bool Enabled { get; set; }

    /// <summary><c>dry-run</c> (only say what would be done; default) or <c>act</c>.</summary>
    public ReclassifyMode Mode { get; set; }

    /// <summary>
    /// The uplinks, each <c>NAME key=value …</c>: <c>mark=VALUE[/MASK]</c> (connmark), <c>id=N</c> (mwan3's number of the interface, spread over <see cref="MarkMask"/>),
    /// <c>source=ADDRESS[/LENGTH]</c> (what flows are translated to), <c>dev=INTERFACE</c>; the last two may be repeated.
    /// </summary>
    public string[] Paths { get; set; } = [];

    /// <summary>Bits of the connmark that carry mwan3's interface id (mmx_mask). Default 0x3f00.</summary>
    public string MarkMask { get; set; } = "0x3f00";

    /// <summary>
    /// Sets whose members belong on a path, the first match counts: <c>ipset:NAME[@dst+dst+src]=PATH</c>, <c>nft:FAMILY/TABLE/SET[@dst+dst]=PATH</c>.
    /// After the @, the direction of each dimension of the set's type, as in iptables' <c>--match-set</c>; by default all are dst.
    /// </summary>
    public string[] Sets { get; set; } = [];

    /// <summary>Time between two readings of the sets that tell no changes (ipset); large sets are read less often, so that reading takes at most a twentieth of one processor.</summary>
    public TimeSpan SetInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>A file of static rules, root's own; asked after the sets. Default none.</summary>
    public string? RuleFile { get; set; }

    /// <summary>mwan3's configuration (/etc/config/mwan3), to take paths, mask and rules from. Default none.</summary>
    public string? Mwan3Config { get; set; }

    /// <summary>pbr's configuration (/etc/config/pbr), to take paths and rules from. Default none.</summary>
    public string? PbrConfig { get; set; }

    /// <summary>OpenWrt's network configuration, which tells the devices of the interfaces that the two name.</summary>
    public string NetworkConfig { get; set; } = "/etc/config/network";

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext) => [];
}

/// <summary>What may be done.</summary>
public enum ReclassifyMode
{
    /// <summary>Nothing: decisions are logged and counted.</summary>
    DryRun,

    /// <summary>Re-mark and delete entries.</summary>
    Act,
}

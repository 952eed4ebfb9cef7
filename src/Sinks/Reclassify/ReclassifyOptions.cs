using System.ComponentModel.DataAnnotations;
using ConntrackStream.Pipeline.Configuration;
using ConntrackStream.Sinks.Reclassify.External;

namespace ConntrackStream.Sinks.Reclassify;

/// <summary><c>Reclassify</c>: which flows belong on which uplink, and what may be done about those that are on another.</summary>
public sealed class ReclassifyOptions : IOptionSection, IValidatableObject
{
    /// <summary>Do it at all.</summary>
    public bool Enabled { get; set; }

    /// <summary>dry-run (only say what would be done) or act.</summary>
    public ReclassifyMode Mode { get; set; }

    /// <summary>
    /// The uplinks, each <c>NAME key=value …</c>: <c>mark=V[/M]</c> (connmark), <c>id=N</c> (mwan3's number),
    /// <c>source=ADDRESS[/LENGTH]</c> (what flows are translated to), <c>dev=INTERFACE</c>; the last two may be repeated.
    /// </summary>
    public string[] Paths { get; set; } = [];

    /// <summary>Bits of the connmark that carry mwan3's interface id (mmx_mask).</summary>
    public string MarkMask { get; set; } = "0x3f00";

    /// <summary>
    /// Sets whose members belong on a path, the first match counts: <c>ipset:NAME[@dst+dst+src]=PATH</c>,
    /// <c>nft:FAMILY/TABLE/SET[@dst]=PATH</c>. After the @, the direction of each dimension of the set's type, as in iptables' --match-set;
    /// by default all are dst.
    /// </summary>
    public string[] Sets { get; set; } = [];

    /// <summary>
    /// Between two readings of sets that report no changes; large ones are read less often, so that reading takes a twentieth of one
    /// processor, or a quarter while many sets change.
    /// </summary>
    public TimeSpan SetInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>A file of static rules, root's own; asked after the sets.</summary>
    public string? RuleFile { get; set; }

    /// <summary>mwan3's configuration (/etc/config/mwan3), to take paths, sets and rules from.</summary>
    public string? Mwan3Config { get; set; }

    /// <summary>pbr's configuration (/etc/config/pbr), to take paths, sets and rules from.</summary>
    public string? PbrConfig { get; set; }

    /// <summary>OpenWrt's network configuration, which tells the devices of the interfaces that the two name.</summary>
    public string NetworkConfig { get; set; } = "/etc/config/network";

    /// <summary>
    /// A classifier of one's own, asked after the rules: <c>/path/to/assembly.dll[:Type]</c>, root's own; JIT build only
    /// (docs/plugins.md).
    /// </summary>
    public string? Classifier { get; set; }

    /// <summary>When a new flow is looked at again, since its start.</summary>
    public TimeSpan[] Rechecks { get; set; } = [TimeSpan.FromSeconds(0.5), TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(5)];

    /// <summary>
    /// How long an answer serves for other flows to the same destination with the same mark, unless its set's entry expires sooner.
    /// </summary>
    public TimeSpan VerdictTime { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>How long a TCP connection to be reset waits for its client's next packet, before nothing is done to it.</summary>
    public TimeSpan ResetWithin { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>How long a flow may take to come back after its deletion or reset before that counts as its outcome.</summary>
    public TimeSpan Patience { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Actions a second at most; after a pause, as many at once as in two seconds.</summary>
    public int ActionsPerSecond { get; set; } = 50;

    /// <summary>When flows of one client to one port of one destination are left alone.</summary>
    public FlapGuardOptions FlapGuard { get; set; } = new();

    /// <summary>A program of one's own, in any language, asked after all others.</summary>
    public ExternalOptions External { get; set; } = new();

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext) =>
        Enabled ? Lacks().Concat(OutOfRange()) : OutOfRange();

    /// <summary>Without these there is nothing to decide.</summary>
    internal IEnumerable<ValidationResult> Lacks()
    {
        if (Paths.Length == 0 && Mwan3Config is null && PbrConfig is null)
            yield return new ValidationResult(
                "must name the uplinks, such as \"wan mark=0x100/0x3f00 dev=eth1\" "
                + "(or give Reclassify:Mwan3Config or Reclassify:PbrConfig)",
                [nameof(Paths)]);
        bool hasClassifier = Sets.Length > 0 || RuleFile is not null || Mwan3Config is not null || PbrConfig is not null
            || Classifier is not null || External.IsConfigured;
        if (!hasClassifier)
            yield return new ValidationResult(
                "must say which flows belong where, such as \"ipset:app_1.v4=wan\" "
                + "(or give Reclassify:RuleFile, Mwan3Config, PbrConfig, Classifier or External)",
                [nameof(Sets)]);
    }

    private IEnumerable<ValidationResult> OutOfRange()
    {
        if (SetInterval < TimeSpan.FromMilliseconds(100) || SetInterval > TimeSpan.FromHours(1))
            yield return new ValidationResult("must be from 100 ms to 1 h", [nameof(SetInterval)]);
        if (Rechecks.Length > 16
            || Rechecks.Any(static time => time <= TimeSpan.Zero || time > TimeSpan.FromHours(1))
            || !Rechecks.SequenceEqual(Rechecks.Order()))
            yield return new ValidationResult(
                "must be at most 16 times in ascending order, each above 0 and at most 1 h", [nameof(Rechecks)]);
        if (VerdictTime < TimeSpan.Zero || VerdictTime > TimeSpan.FromMinutes(5))
            yield return new ValidationResult("must be from 0 to 5 minutes", [nameof(VerdictTime)]);
        if (Patience < TimeSpan.FromSeconds(1) || Patience > TimeSpan.FromMinutes(5))
            yield return new ValidationResult("must be from 1 s to 5 minutes", [nameof(Patience)]);
        if (ResetWithin < TimeSpan.FromSeconds(1) || ResetWithin > TimeSpan.FromHours(1))
            yield return new ValidationResult("must be from 1 s to 1 h", [nameof(ResetWithin)]);
        if (ActionsPerSecond is < 1 or > 10_000)
            yield return new ValidationResult("must be from 1 to 10000", [nameof(ActionsPerSecond)]);
    }
}

/// <summary><c>Reclassify:FlapGuard</c>: a flow is not moved to and fro for ever.</summary>
public sealed class FlapGuardOptions : IOptionSection, IValidatableObject
{
    /// <summary>Actions on them within the window; a browser opens several connections at once.</summary>
    public int Budget { get; set; } = 16;

    /// <summary>What the budget is for.</summary>
    public TimeSpan Window { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>
    /// How long they are left alone when the budget is spent or an action was in vain; doubled each time. Likewise all flows of one set (or
    /// rule, or the external program) to a path, after eight in a row that came back on another one.
    /// </summary>
    public TimeSpan FirstPause { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>No pause is longer.</summary>
    public TimeSpan LongestPause { get; set; } = TimeSpan.FromHours(1);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Budget is < 1 or > 1_000_000)
            yield return new ValidationResult("must be from 1 to 1000000", [nameof(Budget)]);
        if (Window < TimeSpan.FromSeconds(1) || Window > TimeSpan.FromDays(1))
            yield return new ValidationResult("must be from 1 s to 1 day", [nameof(Window)]);
        if (FirstPause < TimeSpan.FromSeconds(1) || FirstPause > LongestPause)
            yield return new ValidationResult("must be from 1 s to LongestPause", [nameof(FirstPause)]);
        if (LongestPause > TimeSpan.FromDays(1))
            yield return new ValidationResult("must be at most 1 day", [nameof(LongestPause)]);
    }
}

/// <summary>What may be done.</summary>
public enum ReclassifyMode
{
    /// <summary>Nothing: decisions are logged and counted.</summary>
    DryRun,

    /// <summary>Re-mark and delete entries.</summary>
    Act,
}

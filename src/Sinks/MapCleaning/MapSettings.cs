using System.ComponentModel.DataAnnotations;
using ConntrackStream.Pipeline.Configuration;
using ConntrackStream.Sinks.FlowLog;
using ConntrackStream.Sinks.MapCleaning.Delete;
using ConntrackStream.Sinks.MapCleaning.Ebpf;

namespace ConntrackStream.Sinks.MapCleaning;

/// <summary><c>Map</c>: the eBPF conntrack map to keep clean, and how.</summary>
public sealed class MapSettings : IOptionSection
{
    /// <summary>Where the AWS Network Policy Agent pins its map, for IPv4 and IPv6 alike.</summary>
    internal const string AgentPin = "/sys/fs/bpf/globals/aws/maps/global_aws_conntrack_map";

    /// <summary>
    /// Path of its pin, or id:N. null: none. The AWS agent's: /sys/fs/bpf/globals/aws/maps/global_aws_conntrack_map. Not with a Tap:Filter.
    /// </summary>
    [StringLength(4095, MinimumLength = 1)]
    public string? Path { get; set; }

    /// <summary>observe (only say what would be deleted, and open the map read-only) or delete.</summary>
    public MapMode Mode { get; set; } = MapMode.Observe;

    /// <summary>Between the nomination of a key and its deletion; a key first missed less than this ago is not nominated either.</summary>
    [DurationRange("00:00:00.100", "01:00:00")]
    public TimeSpan Grace { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How long a deleted entry can be put back: a packet between the agent's hook and its confirmation shows in no check.
    /// </summary>
    [DurationRange("00:00:00.100", "00:05:00")]
    public TimeSpan ArmedWindow { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How long a peer of an open TCP connection may pause after the kernel's timer for it has run out, and still send;
    /// <c>nf_conntrack_tcp_timeout_established</c> where that is shorter. RFC 5382's value.
    /// </summary>
    [DurationRange("00:00:00", "7.00:00:00")]
    public TimeSpan TcpPatience { get; set; } = new(2, 4, 0);

    /// <summary>
    /// The same for UDP (except questions to port 53) and protocols without states; the kernel's timeout for them where that is longer. RFC
    /// 4787's value. 0: their entries go as soon as the kernel's timer has run out.
    /// </summary>
    [DurationRange("00:00:00", "1.00:00:00")]
    public TimeSpan UdpPatience { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>Entries deleted between two audits at most, and keys nominated at one time.</summary>
    [Range(1, 1_048_576)]
    public int MaxDeletesPerCycle { get; set; } = 65536;

    /// <summary>
    /// From so many keys of one protocol, destination and port, none of which ever matched a flow, they are left alone (NOTRACK).
    /// </summary>
    [Range(1, 1_048_576)]
    public int UntrackedGroupSize { get; set; } = 64;

    /// <summary>
    /// File for the evidence of each deletion, one JSON object a line (docs/safe-deletion.md); made with mode 0640. null: none.
    /// </summary>
    [StringLength(4095, MinimumLength = 1)]
    public string? EvidencePath { get; set; }

    /// <summary>When that file is renamed and a new one begun.</summary>
    public RotationOptions EvidenceRotation { get; set; } = new();

    /// <summary>What the configuration names, else the AWS agent's pin; null when there is neither.</summary>
    internal string? Find(Predicate<string> exists) => Path ?? (exists(AgentPin) ? AgentPin : null);

    /// <summary>For the map of this path or id.</summary>
    internal MapOptions ToOptions(string source) => new()
    {
        Open = () => EbpfFlowMap.Open(source, Mode == MapMode.Delete),
        Mode = Mode,
        Grace = Grace,
        ArmedWindow = ArmedWindow,
        TcpPatience = TcpPatience,
        UdpPatience = UdpPatience,
        MaxDeletesPerCycle = MaxDeletesPerCycle,
        UntrackedGroupSize = UntrackedGroupSize,
    };
}

using System.ComponentModel.DataAnnotations;
using ConntrackStream.Pipeline.Configuration;
using ConntrackStream.Sinks.FlowLog;
using ConntrackStream.Sinks.MapCleaning.Delete;
using ConntrackStream.Sinks.MapCleaning.Ebpf;

namespace ConntrackStream.Sinks.MapCleaning;

/// <summary><c>Map</c>: the eBPF conntrack map to keep clean, and how.</summary>
public sealed class MapSettings
{
    /// <summary>Where the AWS Network Policy Agent pins its map, for IPv4 and IPv6 alike.</summary>
    internal const string AgentPin = "/sys/fs/bpf/globals/aws/maps/global_aws_conntrack_map";

    /// <summary>Path of its pin, or <c>id:N</c>. Not together with a Tap:Filter. Default: none.</summary>
    [StringLength(4095, MinimumLength = 1)]
    public string? Path { get; set; }

    /// <summary>What becomes of entries whose flow is gone. Default observe.</summary>
    public MapMode Mode { get; set; } = MapMode.Observe;

    /// <summary>
    /// Between the nomination of a key and its deletion; a key first missed less than this ago is not nominated either. Default 5 s.
    /// </summary>
    [DurationRange("00:00:00.100", "01:00:00")]
    public TimeSpan Grace { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a deleted entry can be put back. Default 5 s.</summary>
    [DurationRange("00:00:00.100", "00:05:00")]
    public TimeSpan ArmedWindow { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How long a peer of an open TCP connection may pause after the kernel's timer for it has run out, and still send.
    /// nf_conntrack_tcp_timeout_established where that is shorter. Default 2 h 4 min (RFC 5382).
    /// </summary>
    [DurationRange("00:00:00", "7.00:00:00")]
    public TimeSpan TcpPatience { get; set; } = new(2, 4, 0);

    /// <summary>
    /// The same for UDP and protocols without states; the kernel's timeout for them where that is longer, unless this is 0. Default 2 min
    /// (RFC 4787).
    /// </summary>
    [DurationRange("00:00:00", "1.00:00:00")]
    public TimeSpan UdpPatience { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>Entries deleted between two audits of the map at most, and keys nominated at one time. Default 65536.</summary>
    [Range(1, 1_048_576)]
    public int MaxDeletesPerCycle { get; set; } = 65536;

    /// <summary>
    /// Keys of one protocol, destination and port, none of which ever matched a flow, from which on they are taken for traffic under
    /// NOTRACK and left alone. Default 64.
    /// </summary>
    [Range(1, 1_048_576)]
    public int UntrackedGroupSize { get; set; } = 64;

    /// <summary>File for the evidence of each deletion, one JSON object a line. Default: none.</summary>
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

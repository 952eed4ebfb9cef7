using System.Net;
using System.Text.Json;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Kernel.Tests.Ebpf;
using ConntrackStream.Kernel.Tests.Kit;
using ConntrackStream.Sinks.MapCleaning.Ebpf;
using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Kernel.Tests.Service;

/// <summary>A pinned map of the agent's layout beside the conntrack table of a namespace, for the program to work on.</summary>
internal sealed class MapRig : IDisposable
{
    internal const string Pod = "10.0.0.1", Server = "10.0.0.2";

    private const uint Loopback = 1; // an interface that every namespace has

    private static readonly MapValue Unused = new(1, 123_456_789); // last seen soon after boot

    private readonly BpfDirectory _bpffs = new();

    internal MapRig(bool pin = true)
    {
        Requirements.Tool("conntrack");
        Space.Sysctl("net.netfilter.nf_conntrack_tcp_timeout_established", "30"); // a key last seen soon after boot is dead by that
        Space.Sysctl("net.netfilter.nf_conntrack_udp_timeout_stream", "30");
        Space.Sysctl("net.netfilter.nf_conntrack_icmp_timeout", "30");
        Pin = _bpffs.PathOf("map");
        Map = EbpfFlowMap.Create(MapOf.Layout4, 1024, "cs_test");
        if (pin)
            Map.Pin(Pin);
    }

    /// <summary>Without a rule that asks for tracking; entries come from <c>conntrack -I</c>.</summary>
    internal KernelNamespace Space { get; } = new(track: false);

    internal EbpfFlowMap Map { get; }

    internal string Pin { get; }

    /// <summary>State, socket and whatever else a run writes.</summary>
    internal string Directory { get; } = System.IO.Directory.CreateTempSubdirectory("cs-map-").FullName;

    internal string Socket => $"{Directory}/api.sock";

    internal string BpfPath(string name) => _bpffs.PathOf(name);

    internal void PinProgram(string name) => _bpffs.PinProgram(name);

    /// <summary>A flow of the pod; -I and the further options of conntrack.</summary>
    internal void Flow(string protocol, ushort sourcePort, ushort port, params string[] more) => Space.Exec(
        "conntrack",
        ["-I", "-t", "1000", "-p", protocol, "-s", Pod, "-d", Server, "--sport", $"{sourcePort}", "--dport", $"{port}", .. more]);

    internal void Tcp(ushort sourcePort, ushort port) =>
        Flow("tcp", sourcePort, port, "--state", "ESTABLISHED", "-u", "ASSURED,SEEN_REPLY");

    /// <summary>A flow's timer is about to run out, and the next audit notices.</summary>
    internal void End(ushort sourcePort) => Space.Exec("conntrack", "-U", "-s", Pod, "-p", "udp", "--sport", $"{sourcePort}", "-t", "1");

    /// <summary>The pod's entry; port 0 for protocols without ports.</summary>
    internal MapKey Entry(IpProtocol protocol, ushort sourcePort, ushort port, MapValue? value = null, uint interfaceIndex = Loopback)
    {
        FlowTuple tuple = new()
        {
            Family = FlowFamily.IPv4,
            Protocol = protocol,
            Source = IpAddress.From(IPAddress.Parse(Pod)),
            Destination = IpAddress.From(IPAddress.Parse(Server)),
            SourcePort = sourcePort,
            DestinationPort = port,
        };
        MapKey key = new(tuple, tuple.Source, interfaceIndex);
        Map.Insert(key, value ?? Unused);
        return key;
    }

    internal bool Has(in MapKey key) => Map.TryLookup(key, out _);

    /// <summary>A value that a packet last used so long ago.</summary>
    internal static MapValue UsedAgo(TimeSpan ago) =>
        new(1, (ulong)(TimeProvider.System.GetTimestamp() - (ago.Ticks * 100))); // CLOCK_MONOTONIC in ns

    /// <summary>Starts the service on the map, with short times; its log has each entry.</summary>
    internal Task<ServiceProcess> RunAsync(string mode, params string[] more) => ServiceProcess.StartAsync(
        Space.Name, Directory,
        [
            "--set", $"Map:Path={Pin}", "--set", $"Map:Mode={mode}", "--set", "Map:Grace=200ms", "--set", "Map:ArmedWindow=200ms",
            "--set", "Audit:Interval=1s",
            "--set", "Map:UdpPatience=0s", "--set", "Logging:Level=Debug", .. more,
        ]);

    /// <summary>The map as <c>stats --live</c> shows it.</summary>
    internal async Task<JsonElement> StatusAsync()
    {
        (int code, string output, string error) = await ServiceProcess.RunAsync("stats", "--live", "--socket", Socket);
        Assert.True(code == 0, error);
        using JsonDocument status = JsonDocument.Parse(output);
        return status.RootElement.GetProperty("map").Clone();
    }

    public void Dispose()
    {
        Map.Dispose();
        Space.Dispose();
        _bpffs.Dispose();
        System.IO.Directory.Delete(Directory, recursive: true);
    }
}

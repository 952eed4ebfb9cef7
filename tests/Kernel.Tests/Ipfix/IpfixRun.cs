using System.Globalization;
using System.Text.Json;
using System.Xml.Linq;
using ConntrackStream.Kernel.Tests.Kit;
using ConntrackStream.Kernel.Tests.Service;

namespace ConntrackStream.Kernel.Tests.Ipfix;

/// <summary>
/// The service between real flows and three collectors of others, once for all tests: nfcapd and nfacctd over UDP, and a TCP peer beside
/// which tshark captures. Its flow log of the same flows is what their reading is compared with.
/// </summary>
public sealed class IpfixRun : IDisposable
{
    private const int Nfcapd = 9995, Nfacctd = 9996, Tcp = 9997;

    private readonly string _directory = Directory.CreateTempSubdirectory("cs-ipfix-").FullName;
    private readonly KernelNamespace _collectors = new(track: false);

    public IpfixRun()
    {
        foreach (string tool in (string[])["nfcapd", "nfdump", "nfacctd", "tshark", "python3", "conntrack"])
            Requirements.Tool(tool);
        StartNfacctd(); // killed at the end: after SIGTERM pmacct 1.7.7 lives on, and what it read is in its file
        KernelProcess nfcapd = StartNfcapd(), peer = StartPeer(), tshark = StartTshark();
        KernelProcess service = StartService();
        Flows.Make();
        Eventually.True(() => Records("update").Exists(static record => DestinationPort(record) == IpfixFlows.Long));
        Flows.GoOn();
        long sent = Length("tx_bytes", Records("update"));
        Eventually.True(() => Length("tx_bytes", Records("update")) > sent, waitedFor: "a second interim record");
        Flows.Gateway.Sysctl("net.netfilter.nf_conntrack_acct", "0");
        Eventually.True(() => Records("gap").Count > 0);
        Flows.End();
        Eventually.True(() => Records("end").Count == 8);
        Assert.Equal(0, service.Stop());
        Log = service.Error;
        (Starts, Ends) = (Records("start"), Records("end"));
        Eventually.True(() => ReadNfacctd().Count(static row => row.GetProperty("end_reason").GetString() == "4") == Ends.Count);
        Accounted = ReadNfacctd();
        Eventually.True(() => peer.HasExited);
        nfcapd.Stop();
        NfcapdLog = nfcapd.Error;
        tshark.Stop("INT");
        string dumped = ToolRun.Output("env", ["TZ=UTC", "nfdump", "-R", $"{_directory}/flows", "-o", "json"]);
        Dumped = [.. JsonDocument.Parse(dumped).RootElement.EnumerateArray()];
        Dissected = Dissect();
    }

    internal IpfixFlows Flows { get; } = new();

    /// <summary>What the service logged.</summary>
    internal IReadOnlyList<string> Log { get; }

    /// <summary>The flow log's records of starts.</summary>
    internal List<JsonElement> Starts { get; }

    /// <summary>Those of ends.</summary>
    internal List<JsonElement> Ends { get; }

    /// <summary>What nfdump has read.</summary>
    internal IReadOnlyList<JsonElement> Dumped { get; }

    internal IReadOnlyList<string> NfcapdLog { get; }

    /// <summary>What nfacctd has read.</summary>
    internal IReadOnlyList<JsonElement> Accounted { get; }

    /// <summary>What tshark has read, over UDP and over TCP: the fields of each record.</summary>
    internal (List<XElement> Udp, List<XElement> Tcp) Dissected { get; }

    public void Dispose()
    {
        Flows.Dispose();
        _collectors.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    internal static int DestinationPort(JsonElement record) =>
        record.TryGetProperty("dport", out JsonElement port) ? port.GetInt32() : 0;

    private static long Length(string name, List<JsonElement> records) =>
        records.Where(static record => DestinationPort(record) == IpfixFlows.Long)
            .Select(record => record.GetProperty(name).GetInt64()).DefaultIfEmpty().Max();

    private KernelProcess StartService()
    {
        KernelProcess service = _collectors.Start(
            ServiceProcess.Program,
            "run", "--netns", Flows.Gateway.Name,
            "--set", $"State:Directory={_directory}/state", "--set", $"Api:Socket={_directory}/api.sock", "--set", "Logging:Format=line",
            "--set", $"FlowLog:Path={_directory}/flows.ndjson",
            "--set", $"Ipfix:Collectors=udp://127.0.0.1:{Nfcapd},udp://127.0.0.1:{Nfacctd},tcp://127.0.0.1:{Tcp}",
            "--set", "Ipfix:NatEvents=translation",
            "--set", "Pipeline:InterimInterval=1s", "--set", "Audit:Interval=1s", "--set", "Audit:Jitter=0");
        Eventually.True(() => service.Error.Any(static line => line.Contains(" 4001 ", StringComparison.Ordinal)));
        return service;
    }

    private KernelProcess StartNfcapd()
    {
        Directory.CreateDirectory($"{_directory}/flows");
        KernelProcess nfcapd = _collectors.Start(
            "nfcapd", "-w", $"{_directory}/flows", "-b", "127.0.0.1", "-p", $"{Nfcapd}", "-t", "3600");
        AwaitSocket("-uln", Nfcapd);
        return nfcapd;
    }

    private void StartNfacctd()
    {
        const string primitives = """
            name=rev_bytes field_type=29305:1 len=8 semantics=u_int
            name=rev_packets field_type=29305:2 len=8 semantics=u_int
            name=end_reason field_type=136 len=1 semantics=u_int
            name=zone field_type=234 len=4 semantics=u_int
            name=nf_mark field_type=21373:4 len=4 semantics=u_int
            name=nf_id field_type=21373:6 len=4 semantics=u_int
            name=flow_id field_type=148 len=8 semantics=u_int
            name=post_src6 field_type=281 len=16 semantics=ip
            name=post_dst6 field_type=282 len=16 semantics=ip
            name=icmp4 field_type=32 len=2 semantics=u_int
            name=icmp6 field_type=139 len=2 semantics=u_int

            """;
        const string shown = "src_host, dst_host, src_port, dst_port, proto, tcpflags, post_nat_src_host, post_nat_dst_host, "
            + "post_nat_src_port, post_nat_dst_port, timestamp_start, timestamp_end, rev_bytes, rev_packets, end_reason, zone, nf_mark, "
            + "nf_id, flow_id, post_src6, post_dst6, icmp4, icmp6";
        File.WriteAllText($"{_directory}/primitives", primitives);
        File.WriteAllText($"{_directory}/nfacctd.conf", $"""
            daemonize: false
            nfacctd_ip: 127.0.0.1
            nfacctd_port: {Nfacctd}
            plugins: print
            aggregate_primitives: {_directory}/primitives
            aggregate: {shown}
            timestamps_utc: true
            print_output: json
            print_output_file: {_directory}/accounted.json
            print_refresh_time: 1
            print_output_file_append: true

            """);
        _collectors.Start("nfacctd", "-f", $"{_directory}/nfacctd.conf");
        AwaitSocket("-uln", Nfacctd);
    }

    /// <summary>Reads to the end.</summary>
    private KernelProcess StartPeer()
    {
        KernelProcess peer = _collectors.Start(
            "python3", "-c", $"import socket\nl=socket.create_server(('127.0.0.1',{Tcp}))\nc,_=l.accept()\nwhile c.recv(65536): pass");
        AwaitSocket("-tln", Tcp);
        return peer;
    }

    private KernelProcess StartTshark()
    {
        KernelProcess tshark = _collectors.Start(
            "tshark", "-i", "lo", "-f", $"port {Nfcapd} or port {Tcp}", "-w", $"{_directory}/capture");
        Eventually.True(() => tshark.Error.Any(static line => line.StartsWith("Capturing on", StringComparison.Ordinal)));
        return tshark;
    }

    private void AwaitSocket(string option, int port) => Eventually.True(
        () => _collectors.Exec("ss", option).Contains($":{port} ", StringComparison.Ordinal), waitedFor: $"a socket of port {port}");

    private List<JsonElement> Records(string kind) => Lines("flows.ndjson", kind, "event");

    private List<JsonElement> ReadNfacctd() => Lines("accounted.json", "purge", "event_type");

    private List<JsonElement> Lines(string file, string kind, string key)
    {
        string path = $"{_directory}/{file}";
        if (!File.Exists(path))
            return [];
        string text = File.ReadAllText(path);
        return
        [
            .. text[..(text.LastIndexOf('\n') + 1)].Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(static line => JsonDocument.Parse(line).RootElement)
                .Where(record => record.GetProperty(key).GetString() == kind),
        ];
    }

    private (List<XElement> Udp, List<XElement> Tcp) Dissect()
    {
        string packets = ToolRun.Output("tshark",
        [
            "-r", $"{_directory}/capture", "-d", $"udp.port=={Nfcapd},cflow", "-d", $"tcp.port=={Tcp},cflow", "-Y", "cflow", "-T", "pdml",
        ]);
        ILookup<bool, XElement> records = XDocument.Parse(packets).Descendants("packet")
            .SelectMany(static packet => packet.Descendants("field")
                .Where(static field => field.Attribute("show")?.Value.StartsWith("Flow ", StringComparison.Ordinal) == true)
                .Select(record => (IsTcp: packet.Elements("proto").Any(static proto => proto.Attribute("name")?.Value == "tcp"), record)))
            .ToLookup(static one => one.IsTcp, static one => one.record);
        return ([.. records[false]], [.. records[true]]);
    }
}

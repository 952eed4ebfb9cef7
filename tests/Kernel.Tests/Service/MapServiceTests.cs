using System.Text;
using System.Text.Json;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Kernel.Tests.Kit;
using ConntrackStream.Service.Api;
using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Kernel.Tests.Service;

/// <summary>The service as a process with a real map.</summary>
public sealed class MapServiceTests : IDisposable
{
    private readonly MapRig _rig = new();

    public void Dispose() => _rig.Dispose();

    [Fact]
    public async Task Deletes_stale_entries_and_keeps_live_ones()
    {
        _rig.Tcp(1000, 80);
        MapKey live = _rig.Entry(IpProtocol.Tcp, 1000, 80), orphan = _rig.Entry(IpProtocol.Tcp, 1001, 443);
        using ServiceProcess service = await _rig.RunAsync("delete");
        // the pod's keys can be built now
        await Eventually.TrueAsync(async () => (await StatusAsync(_rig)).GetProperty("last_audit").ValueKind != JsonValueKind.Null);
        _rig.Flow("udp", 1002, 53);
        MapKey ended = _rig.Entry(IpProtocol.Udp, 1002, 53);
        await service.WaitForRecordAsync("\"sport\":1002");
        _rig.End(1002);

        List<string> deleted = [await service.WaitForLogAsync(" 2120 "), await service.WaitForLogAsync(" 2120 ")];
        Assert.Single(deleted, line => line.Contains(
            $"Deleted udp src={MapRig.Pod} dst={MapRig.Server} sport=1002 dport=53 owner={MapRig.Pod} ifindex=1: its flow ",
            StringComparison.Ordinal));
        Assert.Single(deleted, line => line.Contains(
            $"Deleted tcp src={MapRig.Pod} dst={MapRig.Server} sport=1001 dport=443 owner={MapRig.Pod} ifindex=1: ",
            StringComparison.Ordinal)
            && line.Contains("audits in a row found no flow", StringComparison.Ordinal));
        Assert.Equal((true, false, false), (_rig.Has(live), _rig.Has(orphan), _rig.Has(ended)));

        await Eventually.TrueAsync(async () => (await StatusAsync(_rig)).GetProperty("tombstones").GetInt32() == 0);
        JsonElement map = await StatusAsync(_rig);
        Assert.Equal(2, map.GetProperty("counters").GetProperty("deleted").GetInt64());
        Assert.Equal(
            (_rig.Pin, "delete", _rig.Map.Info.Id),
            (map.GetProperty("path").GetString(), map.GetProperty("mode").GetString(), map.GetProperty("id").GetUInt32()));
        Assert.True(map.GetProperty("has_matched").GetBoolean());
        service.Signal("TERM");
        Assert.EndsWith(
            "; map: 2 entries deleted, 0 of them restored, 0 would be deleted, 0 kept",
            await service.WaitForLogAsync(" 4003 Done: "),
            StringComparison.Ordinal);
        Assert.Equal(0, await service.WaitForExitAsync());
        Assert.True(_rig.Has(live));
    }

    [Fact]
    public async Task Observing_changes_nothing_and_shows_the_tombstones()
    {
        _rig.Tcp(1000, 80);
        MapKey live = _rig.Entry(IpProtocol.Tcp, 1000, 80), orphan = _rig.Entry(IpProtocol.Tcp, 1001, 443);
        using ServiceProcess service = await _rig.RunAsync("observe");
        Assert.Contains(
            $"Would delete tcp src={MapRig.Pod} dst={MapRig.Server} sport=1001",
            await service.WaitForLogAsync(" 2121 "),
            StringComparison.Ordinal);

        (int code, string output, string error) = await ServiceProcess.RunAsync("tombstones", "--socket", _rig.Socket);
        Assert.Equal((0, "conntrack-stream: 1 of 1 tombstones have been shown.\n"), (code, error));
        Assert.Matches(
            $@"^observed tcp src={MapRig.Pod} dst={MapRig.Server} sport=1001 dport=443 owner={MapRig.Pod} ifindex=1: "
            + $@"\d+ audits in a row found no flow, the first at 20\S+Z\n$",
            output);
        (_, output, error) = await ServiceProcess.RunAsync("tombstones", "--socket", _rig.Socket, "-o", "json");
        Assert.Contains("\"state\":\"observed\",\"reason\":\"missed_twice\"", output, StringComparison.Ordinal);
        (_, output, error) = await ServiceProcess.RunAsync("tombstones", "--socket", _rig.Socket, "--limit", "0");
        Assert.Equal(("", "conntrack-stream: 0 of 1 tombstones have been shown.\n"), (output, error));

        string metrics = await MetricsAsync(_rig);
        Assert.Contains("\nconntrack_stream_map_tombstones{state=\"observed\"} 1\n", metrics, StringComparison.Ordinal);
        ToolRun.Output("promtool", ["check", "metrics"], metrics); // exit 3 for a fault of format or of naming

        service.Signal("TERM");
        Assert.EndsWith(
            "; map: 0 entries deleted, 0 of them restored, 1 would be deleted, 0 kept",
            await service.WaitForLogAsync(" 4003 Done: "),
            StringComparison.Ordinal);
        Assert.Equal(0, await service.WaitForExitAsync());
        Assert.Equal((true, true), (_rig.Has(live), _rig.Has(orphan)));
    }

    private static async Task<string> MetricsAsync(MapRig rig)
    {
        using MemoryStream output = new();
        await ApiClient.CopyAsync(rig.Socket, "/metrics", output, TestContext.Current.CancellationToken);
        return Encoding.UTF8.GetString(output.ToArray());
    }

    [Fact]
    public async Task A_pin_may_come_later()
    {
        using MapRig late = new(pin: false);
        late.Tcp(1000, 80);
        late.Entry(IpProtocol.Tcp, 1000, 80);
        MapKey orphan = late.Entry(IpProtocol.Tcp, 1001, 443);
        using ServiceProcess service = await late.RunAsync("delete");
        await Eventually.TrueAsync(async () =>
            (await StatusAsync(late)).GetProperty("problem").GetString()
                ?.StartsWith($"opening the map pinned at {late.Pin}: ENOENT", StringComparison.Ordinal) == true);
        late.Map.Pin(late.Pin);
        await service.WaitForLogAsync(" 2101 ");
        await service.WaitForLogAsync(" 2120 ");
        Assert.False(late.Has(orphan));
    }

    [Fact]
    public async Task Without_a_map_there_are_no_tombstones()
    {
        using ServiceProcess service = await ServiceProcess.StartAsync(_rig.Space.Name, _rig.Directory);
        Assert.Equal(
            (1, "", "conntrack-stream: the service keeps no eBPF map clean: none is configured (Map:Path)\n"),
            await ServiceProcess.RunAsync("tombstones", "--socket", _rig.Socket));
    }

    [Fact]
    public async Task What_is_not_a_map_of_the_agent_keeps_it_from_starting()
    {
        await RefusedAsync($"{_rig.Directory}/file", 3, "it is not a file of a bpf file system");
        _rig.PinProgram("program");
        await RefusedAsync(_rig.BpfPath("program"), 1, "is not a map: a bpf-prog is pinned there");
        string array = _rig.BpfPath("array");
        ToolRun.Output(
            "bpftool", ["map", "create", array, "type", "array", "key", "4", "value", "16", "entries", "10", "name", "cs_array"]);
        await RefusedAsync(array, 1, "has a layout that is not known (map id ");
        await RefusedAsync("id:4294967295", 1, "no such map is loaded");
    }

    [Fact]
    public void Without_the_permission_it_ends_with_3()
    {
        KernelProcess service = _rig.Space.Start(
            "setpriv", "--reuid", "65534", "--clear-groups", "--inh-caps", "+net_admin", "--ambient-caps", "+net_admin",
            ServiceProcess.Program,
            "run", "--set", $"Map:Path={_rig.Pin}", "--set", $"State:Directory={_rig.Directory}/state");
        Assert.Equal(3, service.WaitForExit());
        Assert.Contains($"opening the map pinned at {_rig.Pin}: EACCES", service.Error[^1], StringComparison.Ordinal);
        Assert.Contains("CAP_DAC_OVERRIDE", service.Error[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Doctor_examines_the_map()
    {
        _rig.Tcp(1000, 80);
        _rig.Entry(IpProtocol.Tcp, 1000, 80);
        (int code, string output, _) = await DoctorAsync(_rig.Space);
        Assert.Equal(0, code);
        Assert.Contains(
            $"ok    map: {_rig.Pin}: id {_rig.Map.Info.Id}, layout aws-npa-ipv4-key24-value16, 1024 entries at most; readable\n"
            + "ok    map deleting: permitted\n",
            output,
            StringComparison.Ordinal);
        Assert.Contains(
            "ok    map entries: 1 of 1024 (0.1 %), 0 junk\nok    map flows: 0 of 1 entries have no flow in ",
            output,
            StringComparison.Ordinal);
        Assert.Contains("  map cleaner: ", output, StringComparison.Ordinal);

        for (ushort port = 2000; port < 2063; port++)
            _rig.Entry(IpProtocol.Tcp, port, 443);
        Assert.Contains("warn  map flows: 63 of 64 entries have no flow", (await DoctorAsync(_rig.Space)).Output, StringComparison.Ordinal);
        using KernelNamespace other = new();
        (code, output, _) = await DoctorAsync(other);
        Assert.Equal(1, code);
        Assert.Contains("fail  map flows: 64 of 64 entries have no flow in ", output, StringComparison.Ordinal);
    }

    private Task<(int Code, string Output, string Error)> DoctorAsync(KernelNamespace space) => ServiceProcess.RunAsync(
        "doctor", "--netns", space.Name, "--set", "Tap:Track=true", "--set", $"State:Directory={_rig.Directory}",
        "--set", $"Api:Socket={_rig.Socket}",
        "--set", $"Map:Path={_rig.Pin}", "--set", "Map:Mode=delete");

    private async Task RefusedAsync(string source, int expected, string reason)
    {
        if (source.EndsWith("/file", StringComparison.Ordinal))
            await File.WriteAllTextAsync(source, "x", TestContext.Current.CancellationToken);
        (int code, _, string error) = await ServiceProcess.RunAsync(
            "run", "--netns", _rig.Space.Name, "--set", $"Map:Path={source}", "--set", $"State:Directory={_rig.Directory}/state",
            "--set", $"Api:Socket={_rig.Socket}");
        Assert.Equal(expected, code);
        Assert.Contains(reason, error, StringComparison.Ordinal);
        Assert.False(Path.Exists($"{_rig.Directory}/state"));
    }

    private static Task<JsonElement> StatusAsync(MapRig rig) => rig.StatusAsync();
}

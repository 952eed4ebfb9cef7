using System.Text.Json;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Kernel.Tests.Kit;

namespace ConntrackStream.Kernel.Tests.Service;

/// <summary>The evidence file of a running service.</summary>
public sealed class MapEvidenceServiceTests : IDisposable
{
    private readonly MapRig _rig = new();

    public void Dispose() => _rig.Dispose();

    [Fact]
    public async Task Each_deletion_is_on_file_and_joins_with_the_flow_log_and_the_log_has_a_summary()
    {
        string path = $"{_rig.Directory}/evidence.ndjson", old = path + ".old";
        _rig.Tcp(1000, 80);
        _rig.Entry(IpProtocol.Tcp, 1000, 80);
        using ServiceProcess service =
            await _rig.RunAsync("delete", "--set", $"Map:EvidencePath={path}", "--set", "Logging:Level=Information");
        await Eventually.TrueAsync(async () => (await _rig.StatusAsync()).GetProperty("last_audit").ValueKind != JsonValueKind.Null);
        _rig.Flow("udp", 1002, 53);
        _rig.Entry(IpProtocol.Udp, 1002, 53);
        using JsonDocument flow = JsonDocument.Parse(await service.WaitForRecordAsync("\"sport\":1002"));
        _rig.End(1002);
        Eventually.True(() => File.ReadAllText(path).Contains('\n', StringComparison.Ordinal));

        using JsonDocument line = JsonDocument.Parse(Assert.Single(File.ReadLines(path)));
        JsonElement evidence = line.RootElement;
        Assert.Equal(
            ("deleted", "ended", 1002,
                flow.RootElement.GetProperty("flow_id").GetString(), flow.RootElement.GetProperty("ct_id").GetInt64()),
            (evidence.GetProperty("outcome").GetString(), evidence.GetProperty("reason").GetString(),
                evidence.GetProperty("sport").GetInt32(),
                evidence.GetProperty("flow_id").GetString(), evidence.GetProperty("ct_id").GetInt64()));
        Assert.Contains(
            "1 entries deleted (1 after their flow's end, 0 after two missed audits)",
            await service.WaitForLogAsync(" 2127 "),
            StringComparison.Ordinal);

        File.Move(path, old); // as logrotate does
        service.Signal("HUP");
        await service.WaitForLogAsync(" 4004 ");
        _rig.Entry(IpProtocol.Tcp, 1003, 443); // of no flow
        Eventually.True(() => File.ReadAllText(path).Contains("\"missed_twice\"", StringComparison.Ordinal));
        Assert.Single(File.ReadLines(old));
        service.Signal("TERM");
        Assert.Equal(0, await service.WaitForExitAsync());
    }

    [Fact]
    public async Task A_file_that_cannot_be_opened_keeps_the_service_from_starting()
    {
        string link = $"{_rig.Directory}/link";
        File.CreateSymbolicLink(link, $"{_rig.Directory}/elsewhere");
        (int code, _, string error) = await ServiceProcess.RunAsync(
            "run", "--netns", _rig.Space.Name, "--set", $"Map:Path={_rig.Pin}", "--set", $"Map:EvidencePath={link}",
            "--set", $"State:Directory={_rig.Directory}/state",
            "--set", $"Api:Socket={_rig.Socket}");
        Assert.Equal(2, code);
        Assert.Contains($"Map:EvidencePath '{link}': is a symbolic link, which is not followed", error, StringComparison.Ordinal);
        Assert.False(Path.Exists($"{_rig.Directory}/elsewhere"));
    }
}

using System.Globalization;
using System.Net;
using System.Text.Json;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Kernel.Tests.Kit;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Kernel.Tests.Service;

/// <summary>The log of a real service, with a real loss: who had a translated address, and what the log can prove.</summary>
public sealed class WhoServiceTests : IDisposable
{
    private readonly KernelNamespace _space = new();
    private readonly string _directory = Directory.CreateTempSubdirectory("cs-who-").FullName;

    private string Log => $"{_directory}/flows.ndjson";

    public void Dispose()
    {
        _space.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task A_translated_address_leads_to_its_client_and_a_kill_to_an_incomplete_verdict()
    {
        _space.Rules(
            "table ip who { chain out { type nat hook postrouting priority 100; tcp dport 7007 snat to 127.0.0.9:33000-33999; }; }");
        using Storm later = new(_space);
        using ServiceProcess first = await StartAsync();
        ServiceProcess service = first;
        later.Make(1); // the log begins
        Until("start");
        using TcpFlow flow = TcpFlow.Connect(_space, _space, IPAddress.Parse("127.0.0.2"), 7007);
        string seen = flow.Seen.ToString();
        Until(flow.Seen.Port.ToString(CultureInfo.InvariantCulture));
        string at = Now();

        (int code, string live, string error) = await ServiceProcess.RunAsync(
            "who", seen, "--live", "--socket", $"{_directory}/api.sock", "-o", "json");
        Assert.True(code == 0, $"{live}{error}");
        Assert.Equal(flow.Source.ToString(), Line(live, 0).GetProperty("client").GetString());
        Assert.True(Line(live, 1).GetProperty("complete").GetBoolean());

        later.Make(1); // the log goes on behind the window
        Eventually.True(() => string.CompareOrdinal(LastTime(), at) > 0, waitedFor: "a later record");
        (code, string found, error) = await ServiceProcess.RunAsync("who", seen, "--at", at, "--within", "0", "-o", "json", _directory);
        Assert.True(code == 0, $"{found}{error}");
        Assert.Equal(
            (flow.Source.ToString(), seen),
            (Line(found, 0).GetProperty("client").GetString(), Line(found, 0).GetProperty("client_translated").GetString()));
        Assert.True(Line(found, 1).GetProperty("complete").GetBoolean());
        Assert.Equal(5, (await ServiceProcess.RunAsync("who", "192.0.2.1", "--at", at, "--within", "0", _directory)).Code);

        service.Signal("KILL");
        await service.WaitForExitAsync();
        string lost = Now();
        using (service = await StartAsync())
        {
            later.Make(1);
            Until("\"reason\":\"restart\"");
            (code, string none, error) = await ServiceProcess.RunAsync(
                "who", "192.0.2.1", "--at", lost, "--within", "0", "-o", "json", _directory);
            Assert.True(code == 6, $"{none}{error}");
            Assert.Equal("restart", Line(none, 0).GetProperty("missing")[0].GetProperty("reason").GetString());
            service.Signal("TERM");
            await service.WaitForExitAsync();
        }

        (code, string verified, error) = await ServiceProcess.RunAsync("verify-log", _directory);
        Assert.True(code == 0, $"{verified}{error}");
    }

    private static string Now() => TimestampText.Format(TimeProvider.System.UnixNanoseconds());

    private static JsonElement Line(string output, int number) => JsonDocument.Parse(output.Split('\n')[number]).RootElement;

    private string LastTime() => JsonDocument.Parse(File.ReadLines(Log).Last()).RootElement.GetProperty("time").GetString()!;

    private void Until(string text) =>
        Eventually.True(() => File.ReadAllText(Log).Contains(text, StringComparison.Ordinal), waitedFor: text);

    private Task<ServiceProcess> StartAsync() =>
        ServiceProcess.StartAsync(_space.Name, _directory, "--set", $"FlowLog:Path={Log}");
}

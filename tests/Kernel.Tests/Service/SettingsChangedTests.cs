using System.Text.Json;
using ConntrackStream.EventTap;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Kernel.Tests.Kit;
using Microsoft.Extensions.Logging.Abstractions;

namespace ConntrackStream.Kernel.Tests.Service;

/// <summary>Another program changes what the stream relies on, while the service runs.</summary>
public sealed class SettingsChangedTests : IDisposable
{
    private const string Events = "net.netfilter.nf_conntrack_events";

    private readonly KernelNamespace _space = new(track: false);
    private readonly string _directory = Directory.CreateTempSubdirectory("cs-settings-").FullName;

    public void Dispose()
    {
        _space.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task Events_that_were_turned_off_come_back_and_what_began_meanwhile_lies_in_a_gap()
    {
        using ServiceProcess service = await StartAsync();
        DateTimeOffset before = DateTimeOffset.UtcNow;
        _space.Exec("bash", "-c", "sysctl -qw net.netfilter.nf_conntrack_events=0; echo x > /dev/udp/127.0.0.1/5001");
        await service.WaitForLogAsync(" 4054 Another program set net.netfilter.nf_conntrack_events to 0: ");
        Assert.Equal("2", _space.Sysctl(Events));
        await service.WaitForRecordAsync("\"dport\":5001"); // although the kernel as a rule had no word of it
        JsonElement gap = JsonDocument.Parse(await service.WaitForRecordAsync("\"event\":\"gap\"")).RootElement;
        Assert.Equal("events_off", gap.GetProperty("reason").GetString());
        Assert.True(gap.GetProperty("from").GetDateTimeOffset() <= before && before < gap.GetProperty("to").GetDateTimeOffset());
        Send(5002);
        Assert.Contains("\"origin\":\"event\"", await service.WaitForRecordAsync("\"dport\":5002"), StringComparison.Ordinal);
        Assert.Equal(("2", false, 1), await SettingAsync("nf_conntrack_events"));

        service.Signal("TERM");
        Assert.Equal(0, await service.WaitForExitAsync());
        Assert.Equal("0", _space.Sysctl(Events)); // as the other program wanted it
    }

    [Fact]
    public async Task Events_that_are_not_the_service_s_to_set_are_reported_and_followed_by_a_gap()
    {
        using ServiceProcess service = await StartAsync("--set", "Tap:EnableEvents=false");
        _space.Sysctl(Events, "0");
        await service.WaitForLogAsync(
            " 4055 Sysctl net.netfilter.nf_conntrack_events is 0: new flows emit no events. "
            + "It is not set again: Tap:EnableEvents is false");
        Assert.Equal(("0", true, 1), await SettingAsync("nf_conntrack_events"));
        Assert.False((await StatusAsync()).GetProperty("synced").GetBoolean());
        _space.Sysctl(Events, "1");
        await service.WaitForLogAsync(" 4056 Sysctl net.netfilter.nf_conntrack_events is 1 again");
        Assert.Contains("\"reason\":\"events_off\"", await service.WaitForRecordAsync("\"event\":\"gap\""), StringComparison.Ordinal);
        Assert.Equal(("1", false, 1), await SettingAsync("nf_conntrack_events"));
    }

    [Theory]
    [InlineData("nf_conntrack_acct", "accounting_off")]
    [InlineData("nf_conntrack_timestamp", "timestamps_off")]
    public async Task Counters_and_times_come_back_too(string name, string reason)
    {
        using ServiceProcess service = await StartAsync();
        _space.Sysctl($"net.netfilter.{name}", "0");
        await service.WaitForLogAsync(" 4054 ");
        Assert.Equal("1", _space.Sysctl($"net.netfilter.{name}"));
        string gap = await service.WaitForRecordAsync("\"event\":\"gap\"");
        Assert.Contains($"\"reason\":\"{reason}\",\"lost\":0", gap, StringComparison.Ordinal);
    }

    /// <summary>As when nf_conntrack_max is raised. The kernel's own word is the oracle.</summary>
    [Fact]
    public void The_buffer_of_an_open_event_socket_grows_and_never_shrinks()
    {
        using NetworkNamespace space = NetworkNamespace.OpenName(_space.Name);
        using TapSocket socket =
            TapSocket.Open(new TapOptions { Namespace = space, ReceiveBufferBytes = 1 << 20 }, TimeProvider.System, NullLogger.Instance);
        Assert.Equal(1 << 20, socket.BufferBytes);
        Assert.True(socket.Grow(1 << 22, NullLogger.Instance));
        Assert.False(socket.Grow(1 << 21, NullLogger.Instance));
        Assert.Equal(1 << 22, socket.BufferBytes);
        Assert.Equal(1 << 22, KitLibc.GetOption(socket.Netlink.Handle, KitLibc.SOL_SOCKET, KitLibc.SO_RCVBUF));
    }

    /// <summary>So the tables of Tap:Track and of reclassification need no watch: the kernel refuses everybody but their owner.</summary>
    [Fact]
    public async Task No_other_program_can_take_away_the_tracking_table()
    {
        using ServiceProcess service = await StartAsync();
        _space.Exec("nft", "flush", "ruleset");
        foreach (string command in (string[])["delete table", "flush table", "delete chain"])
        {
            ToolException refused = Assert.Throws<ToolException>(() => _space.Exec(
                "nft",
                [
                    .. command.Split(' '), "inet", "conntrack_stream",
                    .. command.EndsWith("chain", StringComparison.Ordinal) ? ["track"] : Array.Empty<string>(),
                ]));
            Assert.Contains("Operation not permitted", refused.Message, StringComparison.Ordinal);
        }

        Send(5001);
        await service.WaitForRecordAsync("\"dport\":5001");
    }

    private Task<ServiceProcess> StartAsync(params string[] more) => ServiceProcess.StartAsync(_space.Name, _directory, more);

    private void Send(int port) => _space.Exec("bash", "-c", $"echo x > /dev/udp/127.0.0.1/{port}");

    private async Task<(string? Value, bool Off, int TimesOff)> SettingAsync(string name)
    {
        JsonElement setting = (await StatusAsync()).GetProperty("kernel").GetProperty("settings").EnumerateArray()
            .Single(one => one.GetProperty("name").GetString() == name);
        return (
            setting.GetProperty("value").GetString(),
            setting.GetProperty("off").GetBoolean(),
            setting.GetProperty("times_off").GetInt32());
    }

    private async Task<JsonElement> StatusAsync()
    {
        (int code, string output, _) = await ServiceProcess.RunAsync("stats", "--live", "--socket", $"{_directory}/api.sock");
        Assert.Equal(0, code);
        return JsonDocument.Parse(output).RootElement.Clone();
    }
}

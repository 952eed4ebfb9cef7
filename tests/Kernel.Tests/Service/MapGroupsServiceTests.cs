using System.Globalization;
using System.Text.Json;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Kernel.Tests.Kit;
using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Kernel.Tests.Service;

/// <summary>
/// What the service makes of groups of keys without a flow: traffic under NOTRACK, or what is left of flows that have ended.
/// </summary>
public sealed class MapGroupsServiceTests : IDisposable
{
    private const ushort Dns = 53;
    private const int Keys = 6;

    private static readonly string[] SmallGroups = ["--set", "Map:UntrackedGroupSize=4"];

    private readonly MapRig _rig = new();

    public MapGroupsServiceTests()
    {
        _rig.Tcp(1000, 80);
        Live = _rig.Entry(IpProtocol.Tcp, 1000, 80);
    }

    private MapKey Live { get; }

    public void Dispose() => _rig.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_was_learnt_survives_a_kill(bool keepsFile)
    {
        _rig.Space.Sysctl("net.netfilter.nf_conntrack_udp_timeout_stream", "3"); // how long a key without a flow may still be used
        for (ushort port = 2000; port < 2000 + Keys; port++)
            _rig.Flow("udp", port, Dns);
        List<MapKey> keys = Entries(used: TimeSpan.FromSeconds(1));
        string memory;
        using (ServiceProcess first = await _rig.RunAsync("delete", SmallGroups))
        {
            await Eventually.TrueAsync(() => Task.FromResult(Directory.GetFiles(State, "*-map-memory").Length == 1));
            memory = Assert.Single(Directory.GetFiles(State, "*-map-memory"));
            first.Signal("KILL");
            await first.WaitForExitAsync();
        }

        if (!keepsFile)
            File.Delete(memory);
        _rig.Space.Exec("conntrack", "-D", "-p", "udp"); // while no service sees it
        using ServiceProcess second = await _rig.RunAsync("delete", SmallGroups);
        await AssertAsync(keys, areDeleted: keepsFile);
    }

    [Theory]
    [InlineData("600", false)]
    [InlineData("10", true)]
    public async Task A_group_that_was_not_used_for_longer_than_the_namespace_keeps_a_flow_is_stale(string timeout, bool areDeleted)
    {
        _rig.Space.Sysctl("net.netfilter.nf_conntrack_udp_timeout", timeout);
        _rig.Space.Sysctl("net.netfilter.nf_conntrack_udp_timeout_stream", timeout);
        List<MapKey> keys = Entries(used: TimeSpan.FromSeconds(30));
        using ServiceProcess service = await _rig.RunAsync("delete", SmallGroups);
        await AssertAsync(keys, areDeleted);
    }

    [Fact]
    public async Task Keys_of_an_interface_that_is_gone_are_stale()
    {
        _rig.Space.Exec("ip", "link", "add", "cs-pod", "type", "veth", "peer", "name", "cs-host");
        using JsonDocument link = JsonDocument.Parse(_rig.Space.Exec("ip", "-j", "link", "show", "cs-host"));
        List<MapKey> keys = Entries(used: TimeSpan.FromSeconds(1), link.RootElement[0].GetProperty("ifindex").GetUInt32());
        using ServiceProcess service = await _rig.RunAsync("delete", SmallGroups);
        await AssertAsync(keys, areDeleted: false);
        _rig.Space.Exec("ip", "link", "del", "cs-host");
        await AssertAsync(keys, areDeleted: true);
    }

    private string State => $"{_rig.Directory}/state";

    /// <summary>DNS queries of the pod, used so long ago.</summary>
    private List<MapKey> Entries(TimeSpan used, uint interfaceIndex = 1) =>
    [
        .. Enumerable.Range(2000, Keys).Select(port => _rig.Entry(IpProtocol.Udp, (ushort)port, Dns, MapRig.UsedAgo(used), interfaceIndex)),
    ];

    /// <summary>Either all of them go, or audit after audit leaves them, as a group that is exempt.</summary>
    private async Task AssertAsync(List<MapKey> keys, bool areDeleted)
    {
        if (areDeleted)
        {
            await Eventually.TrueAsync(() => Task.FromResult(!keys.Exists(key => _rig.Has(key))));
        }
        else
        {
            long audits = Audits(await _rig.StatusAsync());
            await Eventually.TrueAsync(async () => Audits(await _rig.StatusAsync()) >= audits + 3);
            JsonElement status = await _rig.StatusAsync();
            JsonElement group = Assert.Single(status.GetProperty("exempt_groups").EnumerateArray());
            Assert.Equal((Dns, Keys), (group.GetProperty("dport").GetInt32(), group.GetProperty("keys").GetInt32()));
            Assert.Equal(0, status.GetProperty("counters").GetProperty("deleted").GetInt64());
            Assert.All(keys, key => Assert.True(_rig.Has(key), string.Create(CultureInfo.InvariantCulture, $"{key} is gone")));
        }

        Assert.True(_rig.Has(Live));
    }

    private static long Audits(JsonElement map) => map.GetProperty("counters").GetProperty("audits").GetInt64();
}

using System.Net;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Kernel.Tests.Kit;
using ConntrackStream.Kernel.Tests.Reclassify.Moves;

namespace ConntrackStream.Kernel.Tests.Reclassify;

/// <summary>
/// What the kernel does when a client is reset before its entry goes: what the reclassifier's way of moving TCP rests upon.
/// </summary>
public sealed class ResetFactsTests
{
    [Theory]
    [InlineData(TrafficKind.Download5Ms, false, false, false)]
    [InlineData(TrafficKind.Download5Ms, true, false, true)]
    [InlineData(TrafficKind.Download5Ms, false, true, true)]
    [InlineData(TrafficKind.Push100Ms, true, true, false)]
    public async Task A_reset_moves_the_client_with_its_next_packet_and_its_own_reset_ends_the_servers_side(
        TrafficKind kind, bool ipv6, bool own, bool closed)
    {
        using UplinkRig rig = new();
        if (own)
            rig.RouteOwn();
        if (closed)
            rig.DropInput();
        ResetRules rules = new(rig.Gateway);
        IPAddress server = UplinkRig.ServerAddress(ipv6);
        await using MoveRun run = await MoveRun.OpenAsync(rig, own ? rig.Gateway : rig.Client1, kind, server, flows: 1);
        Flow entry = Entry(rig, run);
        rig.AddToSet(server);
        rules.Add(entry.Id);

        MoveResult result = await run.ResultAsync(TimeSpan.FromSeconds(20));
        Assert.Equal((1, 0), (result.Moved, result.Hung));
        Eventually.True(() => (run.Server.Reset, rules.Gone) == (1, 1)); // the server's next segment finds no connection at the client
        Assert.Equal(2, rules.Met()); // an acknowledgement, and that reset
        Assert.Equal((entry.Id, TcpState.Close), (Entry(rig, run).Id, Entry(rig, run).TcpState));
    }

    [Theory]
    [InlineData(TrafficKind.Upload, false)]
    [InlineData(TrafficKind.Echo, true)]
    [InlineData(TrafficKind.HalfClosed, false)]
    [InlineData(TrafficKind.HalfClosed, true)]
    [InlineData(TrafficKind.WindowFull, false)]
    public async Task Whatever_a_connection_carries_its_client_is_reset(TrafficKind kind, bool ipv6)
    {
        using UplinkRig rig = new();
        ResetRules rules = new(rig.Gateway);
        IPAddress server = UplinkRig.ServerAddress(ipv6);
        await using MoveRun run = await MoveRun.OpenAsync(rig, rig.Client1, kind, server, flows: 1);
        Flow entry = Entry(rig, run);
        rig.AddToSet(server);
        rules.Add(entry.Id);
        run.Wake();
        MoveResult result = await run.ResultAsync(TimeSpan.FromSeconds(20));
        Assert.Equal((1, 0), (result.Moved, result.Hung));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_client_that_is_silent_is_reset_when_it_wakes(bool ipv6)
    {
        using UplinkRig rig = new();
        ResetRules rules = new(rig.Gateway);
        IPAddress server = UplinkRig.ServerAddress(ipv6);
        await using MoveRun run = await MoveRun.OpenAsync(rig, rig.Client1, TrafficKind.Idle, server, flows: 1);
        Flow entry = Entry(rig, run);
        rig.AddToSet(server);
        rules.Add(entry.Id);
        Assert.Equal(TcpState.Established, Entry(rig, run).TcpState);
        Assert.Equal(0, rules.Met());

        run.Wake();
        Assert.Equal(1, (await run.ResultAsync(TimeSpan.FromSeconds(20))).Moved);
    }

    /// <summary>
    /// A reset carries the number that the client's packet acknowledged. By the time it arrives more data has, and a number that is not the
    /// next one is no reset to the client (RFC 5961). The entry is in CLOSE all the same, since Linux 6.3: nf_ct_set_closing. While rules
    /// and entry stay, it heals: without acknowledgements the server stops at its window, and the answer to the last one fits.
    /// </summary>
    [Theory]
    [InlineData(TrafficKind.Download2Ms, false)]
    [InlineData(TrafficKind.DownloadUnpaced, true)]
    public async Task Behind_latency_the_first_resets_come_too_late_and_the_entry_is_closed_before_the_client_is(
        TrafficKind kind, bool ipv6)
    {
        using UplinkRig rig = new();
        rig.DelayClient1(TimeSpan.FromMilliseconds(50));
        ResetRules rules = new(rig.Gateway);
        IPAddress server = UplinkRig.ServerAddress(ipv6);
        await using MoveRun run = await MoveRun.OpenAsync(rig, rig.Client1, kind, server, flows: 1);
        Flow entry = Entry(rig, run);
        rig.AddToSet(server);
        rules.Add(entry.Id);
        Eventually.True(() => Entry(rig, run).TcpState == TcpState.Close);
        Assert.Empty(run.Flows[0].Resets);

        MoveResult result = await run.ResultAsync(TimeSpan.FromSeconds(20));
        Assert.Equal((1, 0), (result.Moved, result.Hung));
        Eventually.True(() => rules.Gone == 1);
        Assert.True(rules.Met() > 2, $"{rules.Met()} packets");
    }

    /// <summary>The server sends again what was not acknowledged, the client acknowledges it again.</summary>
    [Fact]
    public async Task A_lost_reset_is_repaired_while_the_entry_stays()
    {
        MoveResult result = await LoseAsync(deletes: false);
        Assert.Equal((1, 0), (result.Moved, result.Hung));
    }

    [Fact]
    public async Task A_client_whose_reset_is_lost_hangs_when_the_entry_is_deleted_as_soon_as_it_is_closed()
    {
        MoveResult result = await LoseAsync(deletes: true);
        Assert.Equal((0, 1), (result.Moved, result.Hung));
    }

    private static async Task<MoveResult> LoseAsync(bool deletes)
    {
        using UplinkRig rig = new();
        DelayingLink link = rig.DelayClient1(TimeSpan.FromMilliseconds(1));
        ResetRules rules = new(rig.Gateway);
        IPAddress server = UplinkRig.ServerAddress(ipv6: false);
        await using MoveRun run = await MoveRun.OpenAsync(rig, rig.Client1, TrafficKind.Push1S, server, flows: 1);
        Flow entry = Entry(rig, run);
        link.LoseResets(1);
        rig.AddToSet(server);
        rules.Add(entry.Id);
        Eventually.True(() => Entry(rig, run).TcpState == TcpState.Close);
        if (deletes)
            Assert.True(rig.Table.Delete(entry));
        MoveResult result = await run.ResultAsync(TimeSpan.FromSeconds(deletes ? 3 : 20));
        Assert.Equal(0, link.ToLose);
        return result;
    }

    private static Flow Entry(UplinkRig rig, MoveRun run) =>
        rig.Find(run.Flows[0].First) ?? throw new InvalidOperationException("no entry");
}

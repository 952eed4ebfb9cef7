using System.Net;
using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Kernel.Tests.Reclassify.Moves;

/// <summary>What comes of a deletion that the client has not been reset before: the kit must see it.</summary>
public sealed class MoveControlTests
{
    private const int Few = 12;

    [Theory]
    [InlineData(TrafficKind.Download5Ms, false)]
    [InlineData(TrafficKind.Download20Ms, true)]
    [InlineData(TrafficKind.Push100Ms, false)]
    public async Task Clients_that_only_receive_hang_when_their_entries_are_deleted(TrafficKind kind, bool ipv6)
    {
        MoveResult result = await DeleteAsync(kind, ipv6);
        Assert.True(result.Hung >= result.Flows * 3 / 4, result.ToString()); // in some the client's acknowledgement comes first
    }

    [Theory]
    [InlineData(TrafficKind.Upload, false)]
    [InlineData(TrafficKind.Report100Ms, true)]
    public async Task Clients_that_send_move(TrafficKind kind, bool ipv6)
    {
        MoveResult result = await DeleteAsync(kind, ipv6);
        Assert.Equal((result.Flows, 0), (result.Moved, result.Hung));
    }

    private static async Task<MoveResult> DeleteAsync(TrafficKind kind, bool ipv6)
    {
        using UplinkRig rig = new();
        IPAddress server = UplinkRig.ServerAddress(ipv6);
        await using MoveRun run = await MoveRun.OpenAsync(rig, rig.Client1, kind, server, MoveReport.Flows(Few));
        run.Begin();
        rig.AddToSet(server);
        foreach (MovingFlow flow in run.Flows)
        {
            Flow? entry = rig.Find(flow.First);
            Assert.True(entry is not null && rig.Table.Delete(entry.Value), "no entry");
        }

        MoveResult result = await run.ResultAsync(TimeSpan.FromSeconds(1), hangsAfter: TimeSpan.FromSeconds(3));
        MoveReport.Add($"deleted first: {kind}, {(ipv6 ? "IPv6" : "IPv4")}", result);
        return result;
    }
}

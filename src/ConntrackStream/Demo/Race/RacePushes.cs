namespace ConntrackStream.Service.Demo.Race;

/// <summary>The judgement: each server pushes a byte, and each client, which sends nothing meanwhile, waits for it.</summary>
internal sealed class RacePushes(RaceNode node, TimeProvider time)
{
    private static readonly TimeSpan Glance = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan RecoveryPatience = TimeSpan.FromSeconds(3); // the server's TCP sends again after 0.2, 0.4, 0.8 … s

    /// <returns>How many clients have waited in vain.</returns>
    internal async Task<int> JudgeAsync(RaceConnection[] live, CancellationToken cancellationToken)
    {
        foreach (RaceConnection connection in live)
            connection.Push();
        List<RaceConnection> cut = [.. live];
        await AwaitAsync(cut, RaceOptions.Patience, static _ => { }, cancellationToken);
        foreach (RaceConnection connection in cut)
        {
            connection.TimedOutAt ??= time.GetTimestamp();
            connection.WasTracked = node.IsTracked(connection.Key);
        }

        int count = cut.Count;
        foreach (RaceConnection connection in cut)
            connection.Ask(); // that a packet of the client heals it shows that nothing but the entry was missing
        await AwaitAsync(cut, RecoveryPatience, connection => connection.RecoveredAt ??= time.GetTimestamp(), cancellationToken);
        return count;
    }

    /// <summary>Takes those out whose push arrives within the time.</summary>
    private async Task AwaitAsync(
        List<RaceConnection> waiting, TimeSpan patience, Action<RaceConnection> onPush, CancellationToken cancellationToken)
    {
        long start = time.GetTimestamp();
        while (true)
        {
            bool isLast = time.GetElapsedTime(start) >= patience;
            foreach (RaceConnection arrived in waiting.FindAll(static connection => connection.HasPush()))
            {
                onPush(arrived);
                waiting.Remove(arrived);
            }

            if (waiting.Count == 0 || isLast)
                return;
            await Task.Delay(Glance, time, cancellationToken);
        }
    }
}

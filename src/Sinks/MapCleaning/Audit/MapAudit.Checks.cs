using System.Globalization;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Audit;
using ConntrackStream.Sinks.MapCleaning.Delete;
using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Sinks.MapCleaning.Audit;

// What keeps an audit of the map from counting, and what it says beside its misses.
internal sealed partial class MapAudit
{
    private const int SmallTable = 256; // flows that may vanish unseen without a word
    private const int LostToName = 5; // flows named in the log each time

    private readonly MapFill _fill = new();
    private string? _problem;
    private long _lost;
    private bool _isStarving, _saidUnmatched;

    /// <summary>Why the map cannot be used now; null when it can.</summary>
    public string? Problem => _problem;

    /// <summary>Nothing has been cleaned for three audit intervals, although something is to be.</summary>
    public bool IsStarving => _isStarving;

    /// <summary>
    /// What is wrong with a round of the view: a dump that failed before it, or a table that shrank by half without a word. Losses explain
    /// ends unseen, so rounds after one are taken as they are.
    /// </summary>
    private string? Fault(RoundReport round)
    {
        long failed = context.Stage.FailedRounds() - _failedRounds;
        _failedRounds += failed;
        if (failed > 0)
            return "dumping the conntrack table had failed";
        if (round.Reason is not (RoundReason.Audit or RoundReason.Probe))
            return null;
        long unseen = round.Result.Ghosts + round.Result.UntappedEnded;
        return unseen > Math.Max(SmallTable, round.Result.Rows)
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"{unseen} flows ended without an event and only {round.Result.Rows} are left, which is not plausible")
            : null;
    }

    private bool TryUseMap(out string? problem) => TryUseMap(out problem, out _);

    /// <summary>Opens the map, or makes sure that it is still the one its pin names.</summary>
    /// <param name="isAnother">It was recreated; the new one is in use.</param>
    private bool TryUseMap(out string? problem, out bool isAnother)
    {
        isAnother = false;
        try
        {
            if (context.Map is null)
            {
                context.Map = context.Options.Open();
                logger.MapOpened(
                    context.Map.Info.Source,
                    context.Map.Info.Layout,
                    context.Map.Info.Id,
                    context.Map.Info.Capacity,
                    context.Options.Mode);
                Recall(context.Map.Info.Id);
            }
            else if (context.Map.Refresh())
            {
                isAnother = true;
                OnRecreated(context.Map.Info);
            }

            problem = _problem = null;
            return true;
        }
        catch (FlowMapException e)
        {
            problem = e.Message;
            if (_problem != e.Message)
                logger.MapUnusable(_problem = e.Message);
            context.Void();
            _hasHistory = false;
            return false;
        }
    }

    /// <summary>What an earlier run knew of this very map. The first map that is opened is the only one it can be about.</summary>
    private void Recall(uint mapId)
    {
        if (_earlier is { } earlier && earlier.MapId == mapId)
            context.Groups.Restore(earlier.Groups);
        _earlier = null;
    }

    /// <summary>Another network namespace is followed from now on: which entries have matched a flow there must be learnt.</summary>
    public void LeaveNamespace()
    {
        stage.LeaveNamespace();
        context.VoidAll();
        _hasHistory = false;
        _earlier = null;
    }

    private void OnRecreated(FlowMapInfo info)
    {
        context.Counters.Recreated++;
        logger.MapRecreated(info.Source, info.Layout, info.Id);
        context.VoidAll();
        _hasHistory = false;
        stage.Void();
    }

    private void OnLostKeys(in Flow flow)
    {
        if (++_lost <= LostToName)
            logger.LiveEntryLost(EventTap.Conntrack.TupleText.Describe(flow.Original));
    }

    private void TellLost(in FlowMapScan scan)
    {
        if (_lost == 0)
            return;
        FlowMapInfo map = context.Map!.Info;
        long entries = scan.Entries + scan.Junk;
        switch (_fill.CauseOf(map.EvictsFrom, entries, context.Started, context.View.LossEpoch))
        {
            case LossCause.Evicted:
                context.Counters.Evicted += _lost;
                logger.LiveEntriesEvicted(_lost, entries, map.Capacity, map.EvictsFrom!.Value);
                break;
            case LossCause.Unknown:
                context.Counters.LostUnknown += _lost;
                logger.LiveEntriesLost(_lost, entries, map.EvictsFrom!.Value, _fill.Begun(context.Started));
                break;
            default:
                context.Counters.DeletedByOthers += _lost;
                logger.LiveEntriesDeleted(_lost);
                break;
        }
    }

    private void TellShare()
    {
        bool isUnmatched = _missed > _matched && _missed >= SmallTable;
        if (isUnmatched && !_saidUnmatched)
            logger.MostlyUnmatched(_missed, _missed + _matched + _young);
        _saidUnmatched = isUnmatched;
    }

    /// <summary>Looks whether the map is still being cleaned; to be called now and then, also while no round succeeds.</summary>
    public void WatchForStarvation()
    {
        long limit = 3 * context.Stage.AuditInterval.Ticks * 100, now = context.Monotonic;
        bool isStarving = context.Map is not null && (now - LastCounted > limit || now - (stage.OldestDue ?? now) > limit);
        if (isStarving && !_isStarving)
            logger.CleaningStarves(Since(LastCounted).TotalSeconds, stage.Count);
        _isStarving = isStarving;
    }

    private string DescribeGroups() => string.Join(
        ", ",
        context.Groups.Exempt.OrderByDescending(static group => group.Value).Take(LostToName).Select(static group => string.Create(
            CultureInfo.InvariantCulture,
            $"{group.Key.Protocol.Name()} to {group.Key.Destination.ToIPAddress(group.Key.Family)} port {group.Key.Port} "
                + $"({group.Value} keys)")));
}

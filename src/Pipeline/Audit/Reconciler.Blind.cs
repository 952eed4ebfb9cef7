using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;

namespace ConntrackStream.Pipeline.Audit;

// Settings of the kernel that were not as the stream needs them.
internal sealed partial class Reconciler
{
    private readonly List<(FlowGapReason Reason, long From)> _off = [];
    private bool _wasBlind; // the losses that the next rounds repair are among them

    /// <summary>Flows may begin without an event at the moment: the view cannot be proven.</summary>
    public bool IsBlind => _off.Exists(static one => FlowGap.Hides(one.Reason));

    /// <summary>A setting was found off.</summary>
    /// <param name="from">The last time it was seen on, ns since the Unix epoch.</param>
    public void OnOff(FlowGapReason reason, long from)
    {
        if (_off.Exists(one => one.Reason == reason))
            return;
        _off.Add((reason, from));
        if (!FlowGap.Hides(reason))
            return;
        view.Context.LossEpoch++;
        view.Context.Synced = false;
        AnnounceLoss();
    }

    /// <summary>
    /// It is on again. Where events were off, the gap is closed by a round: flows that began meanwhile emit
    /// none, and are known from a dump only.
    /// </summary>
    public void OnOn(FlowGapReason reason)
    {
        int place = _off.FindIndex(one => one.Reason == reason);
        if (place < 0)
            return;
        long from = _off[place].From;
        _off.RemoveAt(place);
        long now = ports.Time.UnixNanoseconds();
        if (!FlowGap.Hides(reason))
        {
            WriteNote(reason, from, now);
            return;
        }

        _wasBlind = true;
        OnLoss(reason, from, now, lost: null);
        Request(RoundReason.EventsOn);
    }

    /// <summary>A gap in which no record is missing.</summary>
    public void WriteNote(FlowGapReason reason, long from, long to) =>
        Write(new FlowGap(reason, from, to, Lost: 0, Recovered: null), FlowOrigin.Event, ports.Time.UnixNanoseconds());

    /// <summary>At the end of the service: what is off still.</summary>
    private void CloseBlindness()
    {
        long now = ports.Time.UnixNanoseconds();
        foreach ((FlowGapReason reason, long from) in _off)
        {
            if (FlowGap.Hides(reason))
                _losses.Add(reason, from, now, lost: null);
            else
                WriteNote(reason, from, now);
        }
    }

    /// <summary>
    /// An entry is made some time before its packet has passed, and without the means to emit events if they were off then: what the round
    /// has seen last may be older than the setting.
    /// </summary>
    private long EndOf(FlowGap gap)
    {
        if (!_wasBlind)
            return gap.To;
        _wasBlind = false;
        return Math.Max(gap.To, ports.Time.UnixNanoseconds());
    }
}

using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Sinks.Reclassify.Classify;
using ConntrackStream.Sinks.Reclassify.Messages;
using ConntrackStream.Sinks.Reclassify.Sets.Model;

namespace ConntrackStream.Sinks.Reclassify.Sets.Reading;

/// <summary>One set in the kernel and its mirror. Reading is the reader's own; what it shows is guarded by the gate.</summary>
internal abstract class SetSource(SetName name, Mirror mirror)
{
    internal SetName Name { get; } = name;

    /// <summary>A verdict's reason, made once.</summary>
    internal string Reason { get; } = name.ToString();

    // Guarded by the gate.
    internal SetContent? Content { get; private set; }

    internal SetState State { get; private set; } = SetState.Waiting;

    internal string? Problem { get; private set; } = "not read yet";

    /// <summary>The type even where it cannot be matched.</summary>
    internal string? Type { get; private set; }

    internal TimeSpan? LastReadTook { get; private set; }

    // Used by the reader only.

    /// <summary>Timestamp of the next reading; <see cref="long.MaxValue"/>: when notified.</summary>
    internal long Due { get; set; }

    /// <summary>It is known to be out of date.</summary>
    internal bool MustRead { get; set; }

    /// <summary>Whether a reading has been tried.</summary>
    internal bool WasRead { get; private set; }

    /// <summary>When the last attempt ended.</summary>
    internal long LastReadAt { get; private set; }

    internal TimeSpan LastAttemptTook { get; private set; }

    /// <summary>Looking whether it has changed.</summary>
    internal TimeSpan LastLookTook { get; private set; }

    /// <summary>Whether the kernel tells its changes without being asked, so that it need not be read at the interval.</summary>
    internal abstract bool IsNotified { get; }

    protected Mirror Mirror { get; } = mirror;

    private bool _told; // that it is waited for, or fails

    /// <summary>Reads the set, and applies what it holds.</summary>
    internal void Read(SetLink link)
    {
        long began = Mirror.Time.GetTimestamp();
        (MustRead, WasRead) = (false, true);
        ReadCore(link);
        LastReadAt = Mirror.Time.GetTimestamp();
        LastAttemptTook = Mirror.Time.GetElapsedTime(began, LastReadAt);
        lock (Mirror.Gate)
            LastReadTook = State is SetState.Ready ? LastAttemptTook : LastReadTook;
    }

    /// <summary>Whether the set has changed for sure since it was read; cheaper than reading it.</summary>
    internal bool HasChanged(SetLink link)
    {
        long began = Mirror.Time.GetTimestamp();
        bool changed = HasChangedCore(link);
        LastLookTook = Mirror.Time.GetElapsedTime(began);
        return changed;
    }

    /// <summary>Asks the kernel whether the flow matches now.</summary>
    /// <param name="left">Time left of the member, where the kernel tells; else untouched.</param>
    /// <returns>None: it does; ENOENT: it does not; else what failed.</returns>
    internal abstract Errno Test(SetLink link, in FlowQuestion question, SetDirections directions, ref TimeSpan? left);

    protected abstract void ReadCore(SetLink link);

    protected virtual bool HasChangedCore(SetLink link) => false;

    /// <summary>The set has been read.</summary>
    protected void Ready(SetContent content)
    {
        bool isNews = State != SetState.Ready || Type != content.Type;
        Set(SetState.Ready, content, content.Type, null);
        _told = true;
        if (isNews)
            Mirror.Logger.SetRead(Reason, content.Type, content.Count);
    }

    protected void Missing()
    {
        const string what = "it does not exist";
        if (State is SetState.Ready or SetState.CannotMatch)
            Mirror.Logger.SetVanished(Reason);
        else if (!_told)
            Mirror.Logger.SetAwaited(Reason, what);
        _told = true;
        Set(SetState.Waiting, null, null, what);
    }

    protected void CannotMatch(string type, string problem)
    {
        if (State != SetState.CannotMatch || Type != type)
            Mirror.Logger.SetCannotMatch(Reason, type, problem);
        Set(SetState.CannotMatch, null, type, problem);
    }

    protected void Failed(string problem)
    {
        if (State != SetState.Failed)
            Mirror.Logger.SetReadFailed(Reason, problem);
        Set(SetState.Failed, Content, Type, problem);
    }

    private void Set(SetState state, SetContent? content, string? type, string? problem)
    {
        lock (Mirror.Gate)
            (State, Content, Type, Problem) = (state, content, type, problem);
    }
}

using ConntrackStream.EventTap;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Pipeline.Configuration;

namespace ConntrackStream.Service.Hosting;

// The name of the network namespace may come to lead to another one: `ip netns delete`, and `ip netns add` again.
internal sealed partial class StreamService
{
    private readonly RepeatLimit _notFollowed = new(TimeSpan.FromMinutes(1), time);
    private readonly ClockWatch _clock = new(time);

    /// <summary>Why no network namespace is followed at the moment; null while one is.</summary>
    internal string? NamespaceProblem { get; private set; }

    /// <summary>Times that another network namespace has taken the place of the one that was followed.</summary>
    internal long NamespacesReplaced { get; private set; }

    /// <summary>One look at what others may have changed. One caller at a time.</summary>
    internal async Task LookAtKernelAsync(CancellationToken cancellation)
    {
        if (_clock.Look() is { } step)
        {
            ServiceLog.ClockSet(_logger, step.By.TotalSeconds);
            await Pipeline.ClockSetAsync(step.From, step.To).ConfigureAwait(false);
        }

        await LookAtNamespaceAsync(cancellation).ConfigureAwait(false);
        if (_hold is not { } hold)
            return;
        await hold.Settings.LookAsync(Pipeline).ConfigureAwait(false);
        _kernel!.Tap.GrowBuffer();
    }

    /// <summary>Compares the namespace behind the name with the one that is followed, and follows what is there.</summary>
    private async Task LookAtNamespaceAsync(CancellationToken cancellation)
    {
        NamespaceSight sight = Namespace.Look(out string? why);
        if (sight == NamespaceSight.Same)
            return;
        if (_hold is not null)
        {
            if (sight == NamespaceSight.Absent)
                ServiceLog.NamespaceAbsent(_logger, Namespace.ToString(), why!);
            else
                ServiceLog.NamespaceReplaced(_logger, Namespace.ToString());
            NamespaceProblem = why ?? "another one has its name";
            notifier.Status($"not following {Namespace}: {NamespaceProblem}");
            await LeaveNamespaceAsync(cancellation).ConfigureAwait(false);
        }

        if (sight == NamespaceSight.Absent)
            NamespaceProblem = why;
        else
            await TryFollowAsync(cancellation).ConfigureAwait(false);
    }

    /// <summary>
    /// Nothing of the old namespace is kept open, or the kernel could not remove it and its links. The view keeps its flows until the next
    /// namespace is compared with it: they end then, in the gap.
    /// </summary>
    private async Task LeaveNamespaceAsync(CancellationToken cancellation)
    {
        await Modules.LeaveNamespaceAsync(cancellation).ConfigureAwait(false);
        await _kernel!.Tap.SuspendAsync(TapBreak.NamespaceReplaced, cancellation).ConfigureAwait(false);
        await Pipeline.LeaveNamespaceAsync().ConfigureAwait(false);
        if (_hold is { } hold)
            await hold.Settings.LeaveAsync(Pipeline).ConfigureAwait(false);
        _hold?.Dispose();
        _hold = null;
        Namespace.LetGo();
    }

    private async Task TryFollowAsync(CancellationToken cancellation)
    {
        try
        {
            Namespace.Reopen();
            AskKernel();
            _hold = await NamespaceHold.TakeAsync(options.Tap, _state!, Namespace, time, _logger, cancellation).ConfigureAwait(false);
            _checkpoints!.Follow(_state!, _hold);
            Modules.Host.Identity = _hold.Checkpoint;
            await Modules.FollowNamespaceAsync(cancellation).ConfigureAwait(false); // before the tap: some must see every flow
            await _kernel!.Tap.StartAsync(cancellation).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ConfigurationException)
        {
            await LeaveNamespaceAsync(cancellation).ConfigureAwait(false);
            NamespaceProblem = e.Message;
            if (_notFollowed.IsDue())
                ServiceLog.NamespaceNotFollowed(_logger, Namespace.ToString(), e.Message);
            return;
        }

        NamespaceProblem = null;
        NamespacesReplaced++;
        ServiceLog.NamespaceFollowed(_logger, Namespace.ToString());
        notifier.Status($"following {Namespace}");
    }
}

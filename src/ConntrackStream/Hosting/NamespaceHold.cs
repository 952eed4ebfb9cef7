using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Pipeline.Checkpoint;
using ConntrackStream.Pipeline.Files;
using ConntrackStream.Service.Network;
using ConntrackStream.Service.Options;

namespace ConntrackStream.Service.Hosting;

/// <summary>
/// What the service makes of one network namespace while it follows it: the lock, the sysctls and their watch, and the tracking
/// table. Disposing it puts everything back in that namespace, whatever its name leads to by then.
/// </summary>
internal sealed class NamespaceHold : IDisposable
{
    private readonly NetworkNamespace _pinned;
    private readonly InstanceLock? _lock;
    private readonly SysctlGuard _sysctls;
    private readonly TrackingTable? _tracking;

    private NamespaceHold(
        NetworkNamespace pinned, NamespaceIdentity identity, InstanceLock? instance, SysctlGuard sysctls, SettingsWatch settings,
        TrackingTable? tracking)
    {
        Settings = settings;
        _pinned = pinned;
        Identity = identity;
        _lock = instance;
        _sysctls = sysctls;
        _tracking = tracking;
    }

    internal NamespaceIdentity Identity { get; }

    internal SettingsWatch Settings { get; }

    /// <summary>In files, the cookie stands for the namespace: an inode may be given to another one after it is gone.</summary>
    internal CheckpointIdentity Checkpoint => new(Guid.Parse(Identity.BootId), Identity.Cookie);

    /// <summary>The file of flow ids in the state directory.</summary>
    internal string CheckpointName => $"netns-{Identity.Cookie}-{FlowCheckpoint.FileName}";

    /// <exception cref="IOException">
    /// Another instance serves the namespace or uses the state directory, or the namespace cannot be entered.
    /// </exception>
    internal static async Task<NamespaceHold> TakeAsync(
        TapSettings settings, StateDirectory state, NetworkNamespace followed, TimeProvider time, ILogger logger,
        CancellationToken cancellation)
    {
        NetworkNamespace pinned = followed.Pin();
        InstanceLock? instance = null;
        SysctlGuard? sysctls = null;
        SettingsWatch? watch = null;
        try
        {
            NamespaceIdentity identity = NamespaceIdentity.Of(pinned);
            instance = await InstanceLock.TakeAsync(pinned, time, logger, cancellation).ConfigureAwait(false);
            await state.ClaimAsync(time, cancellation).ConfigureAwait(false);
            sysctls = new SysctlGuard(state, pinned, identity, logger);
            TapSysctls.Apply(sysctls, settings, pinned);
            watch = new SettingsWatch(settings, sysctls, pinned, time, logger);
            return new NamespaceHold(pinned, identity, instance, sysctls, watch, ActivateTracking(settings, pinned, logger));
        }
        catch
        {
            watch?.Dispose();
            sysctls?.RestoreAll();
            instance?.Dispose();
            pinned.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        _tracking?.Dispose();
        Settings.Dispose();
        _sysctls.RestoreAll();
        _lock?.Dispose();
        _pinned.Dispose();
    }

    private static TrackingTable? ActivateTracking(TapSettings settings, NetworkNamespace pinned, ILogger logger)
    {
        if (settings.Track)
            return TrackingTable.Create(pinned);
        if (TrackingProbe.Run(pinned) is { State: not TrackingState.Active } report)
            ServiceLog.TrackingInactive(logger, report.Reason);
        return null;
    }
}

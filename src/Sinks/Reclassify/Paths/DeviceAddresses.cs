using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Sinks.Reclassify.Messages;

namespace ConntrackStream.Sinks.Reclassify.Paths;

/// <summary>
/// The current addresses of the paths' devices, read again at use when older than a second. Joining the kernel's notifications would tell
/// sooner, but they can be lost, must be drained when nobody asks, and a flow that begins within the second after a change is looked at
/// again anyway; a reading costs about 40 µs a device.
/// </summary>
internal sealed class DeviceAddresses
{
    private static readonly TimeSpan MaxAge = TimeSpan.FromSeconds(1);

    private readonly UplinkPath[] _paths;
    private readonly RouteQuestions _questions;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Lock _reading = new();
    private PathSources _sources;
    private long _readAt;
    private bool _failed;

    internal DeviceAddresses(UplinkPath[] paths, RouteQuestions questions, TimeProvider time, ILogger logger)
    {
        _paths = paths;
        _questions = questions;
        _time = time;
        _logger = logger;
        _sources = Read();
        _readAt = time.GetTimestamp();
    }

    /// <summary>Never throws: while they cannot be read, those last read go on.</summary>
    internal PathSources Current()
    {
        if (_time.GetElapsedTime(Volatile.Read(ref _readAt)) >= MaxAge && _reading.TryEnter()) // others go on with what there is
        {
            try
            {
                ReadAgain();
            }
            finally
            {
                _reading.Exit();
            }
        }

        return Volatile.Read(ref _sources);
    }

    private void ReadAgain()
    {
        try
        {
            Volatile.Write(ref _sources, Read());
            if (_failed)
                _logger.AddressesReadAgain();
            _failed = false;
        }
        catch (NetlinkException e)
        {
            if (!_failed)
                _logger.AddressesNotRead(e.Message);
            _failed = true;
        }

        Volatile.Write(ref _readAt, _time.GetTimestamp());
    }

    private PathSources Read()
    {
        Dictionary<string, IReadOnlyList<IpPrefix>> read = new(StringComparer.Ordinal);
        return new PathSources(_paths, device =>
            read.TryGetValue(device, out IReadOnlyList<IpPrefix>? known) ? known : read[device] = _questions.Addresses(device));
    }
}

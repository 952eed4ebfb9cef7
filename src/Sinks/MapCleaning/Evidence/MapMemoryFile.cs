using System.Threading.Channels;
using ConntrackStream.Pipeline.Checkpoint;
using ConntrackStream.Pipeline.Files;
using ConntrackStream.Sinks.MapCleaning.Absence;

namespace ConntrackStream.Sinks.MapCleaning.Evidence;

/// <summary>
/// Keeps what is learnt of the map in State:Directory, on a task of its own, after each audit that counts: so it survives even a kill -9. A
/// file that cannot be used is not fatal: everything is learnt again, as after a reboot.
/// </summary>
internal sealed class MapMemoryFile : IAsyncDisposable
{
    private readonly StateDirectory _state;
    private volatile Target _target;
    private readonly ILogger _logger;
    private readonly Channel<MapMemory> _latest = Channel.CreateBounded<MapMemory>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });

    private readonly Task _writing;
    private bool _hasFailed;

    internal MapMemoryFile(StateDirectory state, CheckpointIdentity identity, ILogger logger)
    {
        _state = state;
        _target = new Target(identity);
        _logger = logger;
        _writing = WriteAsync();
    }

    private sealed record Target(CheckpointIdentity Identity)
    {
        internal string Name => $"netns-{Identity.NetworkNamespace}-map-memory";
    }

    /// <summary>Another network namespace is followed: what was learnt in the old one is of no more use.</summary>
    internal void Follow(CheckpointIdentity identity)
    {
        string old = _target.Name;
        _target = new Target(identity);
        if (old != _target.Name)
            _state.TryDelete(old);
    }

    /// <summary>What an earlier run in this boot and network namespace has left; null when there is nothing to go by.</summary>
    internal MapMemory? Load()
    {
        (string name, CheckpointIdentity identity) = (_target.Name, _target.Identity);
        try
        {
            if (_state.Read(name, MapMemoryFormat.MaxLength) is not { } content)
                return null;
            MapMemory? memory = MapMemoryFormat.Decode(content, identity, out string? problem);
            if (problem is not null)
                _logger.MapMemoryUnusable($"{_state.PathOf(name)}: {problem}");
            return memory;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _logger.MapMemoryUnusable(e.Message);
            return null;
        }
    }

    /// <summary>Does not wait: the latest counts.</summary>
    internal void Keep(MapMemory memory) => _latest.Writer.TryWrite(memory);

    /// <summary>Writes what is waiting.</summary>
    public async ValueTask DisposeAsync()
    {
        _latest.Writer.TryComplete();
        await _writing.ConfigureAwait(false);
    }

    private async Task WriteAsync()
    {
        await foreach (MapMemory memory in _latest.Reader.ReadAllAsync().ConfigureAwait(false))
        {
            Target target = _target;
            try
            {
                _state.Write(target.Name, MapMemoryFormat.Encode(memory, target.Identity));
                _hasFailed = false;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                if (!_hasFailed)
                    _logger.MapMemoryFailed(_state.PathOf(target.Name), e.Message);
                _hasFailed = true;
            }
        }
    }
}

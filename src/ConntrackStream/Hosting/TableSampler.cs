using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Service.Metrics;

namespace ConntrackStream.Service.Hosting;

/// <summary>
/// Asks the kernel for <see cref="TableSample"/>s over one socket, which is opened again after a failure. Not thread-safe.
/// </summary>
/// <param name="networkNamespace">Known only once the service has started.</param>
internal sealed class TableSampler(Func<NetworkNamespace> networkNamespace)
{
    private ConntrackClient? _client;
    private KernelCounts _counts = new();
    private int _generation; // of the namespace, when the client was opened

    /// <exception cref="NetlinkException">The kernel did not answer.</exception>
    internal TableSample Sample()
    {
        try
        {
            NetworkNamespace followed = networkNamespace();
            if (_generation != followed.Generation)
            {
                _client?.Dispose();
                _client = null;
                _counts = new KernelCounts();
            }

            _generation = followed.Generation;
            _client ??= followed.Run(static () => new ConntrackClient());
            _counts.Add(_client.Stats());
            return new TableSample(
                _client.Count(), _client.Max(), _counts.Drop, _counts.InsertFailed, _counts.EarlyDrop, _generation, _counts.ClashResolve,
                _counts.ChainTooLong);
        }
        catch (NetlinkException)
        {
            _client?.Dispose();
            _client = null;
            throw;
        }
    }
}

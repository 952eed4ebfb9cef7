using System.Threading.Channels;
using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Pipeline.Changes;

namespace ConntrackStream.Service.Api;

/// <summary>
/// Rows of the live view as the kernel has them now: between NEW and DESTROY the view learns of no state, timeout or counter. It asks by
/// GET on a thread of its own, since an answer may take as long as another program's flush of the table.
/// </summary>
/// <param name="networkNamespace">Known only once the service has started.</param>
internal sealed class KernelRows(Func<NetworkNamespace> networkNamespace) : IDisposable
{
    private readonly Channel<Job> _jobs = Channel.CreateBounded<Job>(new BoundedChannelOptions(64) { SingleReader = true });
    private readonly Lock _starting = new();
    private Thread? _thread;

    /// <summary>Stops the thread once what it was given is done.</summary>
    public void Dispose() => _jobs.Writer.TryComplete();

    /// <summary>The rows of <paramref name="seen"/> that the kernel still has, to be released by the caller.</summary>
    /// <exception cref="NetlinkException">The kernel does not answer.</exception>
    internal async Task<FlowChangeBatch> AskAsync(FlowChangeBatch seen, CancellationToken cancellation)
    {
        Start();
        Job job = new(seen, cancellation);
        await _jobs.Writer.WriteAsync(job, cancellation).ConfigureAwait(false);
        return await job.Done.Task.ConfigureAwait(false); // never left before its end: the thread reads the batch
    }

    private void Start()
    {
        lock (_starting)
        {
            if (_thread is not null)
                return;
            _thread = new Thread(Run) { IsBackground = true, Name = "api-rows" };
            _thread.UnsafeStart();
        }
    }

    private void Run()
    {
        RowQuestions questions = new();
        while (_jobs.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
        {
            ConntrackClient? client = null; // none is kept: it would keep a namespace alive that is followed no more
            while (_jobs.Reader.TryRead(out Job? job))
            {
                if (job.Cancellation.IsCancellationRequested)
                {
                    job.Done.SetCanceled(job.Cancellation);
                    continue;
                }

                try
                {
                    client ??= networkNamespace().Run(static () => new ConntrackClient());
                    job.Done.SetResult(questions.Ask(client, job.Seen));
                }
#pragma warning disable CA1031 // carried to the request as it is; the thread serves the others
                catch (Exception e)
#pragma warning restore CA1031
                {
                    client?.Dispose();
                    client = null;
                    job.Done.SetException(e);
                }
            }

            client?.Dispose();
        }
    }

    private sealed record Job(FlowChangeBatch Seen, CancellationToken Cancellation)
    {
        internal TaskCompletionSource<FlowChangeBatch> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}

using System.Collections.Concurrent;

namespace ConntrackStream.Pipeline.Asking;

/// <summary>
/// Puts the loop's questions to the kernel, on a thread of its own: a request waits for ctnetlink's mutex, which another program holds for
/// seconds while it flushes a large table. Questions are answered in the order in which they were asked. The queue needs no bound: each
/// part of the pipeline has a fixed number of questions, and asks none again before its answer is in.
/// </summary>
/// <param name="answer">Blocks until the kernel has said what it has to say.</param>
/// <param name="wake">Makes the loop look for answers.</param>
internal sealed class KernelAsker(Action<TableQuestion> answer, Action wake) : IAsyncDisposable
{
    private readonly ConcurrentQueue<TableQuestion> _questions = new();
    private readonly SemaphoreSlim _signal = new(0);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _isStopping;
    private bool _isStarted;

    /// <summary>Starts the thread.</summary>
    public void Start()
    {
        _isStarted = true;
        new Thread(Run) { IsBackground = true, Name = "conntrack-asker" }.UnsafeStart();
    }

    /// <summary>Hands a question over; the loop is woken when <see cref="TableQuestion.IsAnswered"/>.</summary>
    public void Ask(TableQuestion question)
    {
        question.MarkAsked();
        _questions.Enqueue(question);
        _signal.Release();
    }

    /// <summary>
    /// Ends the thread, once the kernel has answered what it is being asked. What waits behind that is not asked any more.
    /// </summary>
    public async ValueTask StopAsync()
    {
        if (!_isStarted)
            return;
        _isStopping = true;
        _signal.Release();
        await _ended.Task.ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync().ConfigureAwait(false);
        _signal.Dispose();
    }

    private void Run()
    {
        try
        {
            while (true)
            {
                _signal.Wait();
                if (_isStopping)
                    return;
                if (!_questions.TryDequeue(out TableQuestion? question))
                    continue;
                answer(question);
                question.MarkAnswered();
                wake();
            }
        }
        finally
        {
            _ended.SetResult();
        }
    }
}

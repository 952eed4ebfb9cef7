using System.CommandLine;
using System.Threading.Channels;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Service.Cli;

namespace ConntrackStream.Service.Verbs.Top;

/// <summary>The screen's loop: one message after the other, each followed by a drawing.</summary>
internal sealed class TopProgram(CliContext context, NetworkNamespace networkNamespace, string? socket, TopWish wish, TopState state)
{
    private const int Waiting = 64; // messages

    private readonly TopScreen _screen = new(context.OutputIsTerminal);
    private readonly TopHeadline _headline = new()
    {
        Host = networkNamespace.IsCurrent ? Environment.MachineName : $"{Environment.MachineName}, namespace {networkNamespace.Name}",
        RatesFrom = "starting",
    };

    private TopTable? _table;

    internal async Task RunAsync(CancellationToken outer)
    {
        Channel<TopMessage> messages = Channel.CreateBounded<TopMessage>(new BoundedChannelOptions(Waiting) { SingleReader = true });
        TopFeed feed = new(networkNamespace, messages.Writer, context.Time) { Wish = wish };
        using CancellationTokenSource ended = CancellationTokenSource.CreateLinkedTokenSource(outer);
        Task tables = Task.Run(() => feed.ReadTablesAsync(ended.Token), CancellationToken.None);
        Task rates = Task.Run(() => feed.ReadRatesAsync(socket, ended.Token), CancellationToken.None);
        _ = Task.WhenAny(tables, rates).ContinueWith( // one that fails ends the screen
            _ => messages.Writer.TryComplete(), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        using (TopTerminal terminal = new(context, messages.Writer))
        {
            Draw(terminal);
            await HandleAsync(messages.Reader, feed, terminal, ended.Token).ConfigureAwait(false);
        }

        await ended.CancelAsync().ConfigureAwait(false);
        try
        {
            await Task.WhenAll(tables, rates).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested)
        {
            // The end, in order.
        }
    }

    private async Task HandleAsync(ChannelReader<TopMessage> messages, TopFeed feed, TopTerminal terminal, CancellationToken cancellation)
    {
        try
        {
            while (await messages.WaitToReadAsync(cancellation).ConfigureAwait(false))
            {
                while (messages.TryRead(out TopMessage? message))
                {
                    if (!Handle(message, feed))
                        return;
                }

                Draw(terminal);
            }
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // Ctrl-C.
        }
    }

    /// <returns>False: the end.</returns>
    private bool Handle(TopMessage message, TopFeed feed)
    {
        switch (message)
        {
            case KeyPressed { Key: var key }:
                TopAction action = state.Press(key, TopScreen.Page(TopTerminal.Height));
                feed.Wish = new TopWish(FilterNow(feed), state.Sort, state.Interval, state.IsPaused);
                if (action == TopAction.Look)
                    feed.Look();
                return action != TopAction.Quit;
            case TableRead read when !state.IsPaused:
                _table = read.Table;
                (_headline.Entries, _headline.MostEntries) = (read.Entries, read.MostEntries);
                _headline.Add(read.Refusals);
                break;
            case RatesRead read when !state.IsPaused:
                _headline.Add(read.Rates);
                break;
            case RatesLost lost:
                _headline.Lose();
                _headline.RatesFrom = lost.Reason;
                break;
        }

        return true;
    }

    // The same object for the same text: another filter makes the meter begin again.
    private FlowFilter FilterNow(TopFeed feed)
    {
        if (state.Filter == _filterText)
            return feed.Wish.Filter;
        _filterText = state.Filter;
        return TopFilter.TryParse(_filterText, out FlowFilter filter, out _) ? filter : FlowFilter.All;
    }

    private string _filterText = state.Filter;

    private void Draw(TopTerminal terminal)
    {
        int width = TopTerminal.Width, height = TopTerminal.Height;
        if (!state.IsPaused)
            _headline.Now = context.Time.GetUtcNow();
        if (_table is not null)
            state.Bound(TopScreen.RowCount(_table, state.View), TopScreen.Page(height));
        terminal.Write(_screen.Draw(state, _table, _headline, width, height));
    }
}

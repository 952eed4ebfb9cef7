using Microsoft.AspNetCore.Connections;

namespace ConntrackStream.Service.Api;

/// <summary>
/// The clients' connections by one kind of listener. Only answers of any length are limited. A new connection is never refused, as it may
/// be the one that asks for the service's health: when there are too many, it takes the place of the one that has been quiet for longest.
/// </summary>
internal sealed class ApiConnections(int mostAnswers)
{
    /// <summary>Connections beside those that answers hold, for short requests and clients between two requests.</summary>
    internal const int Spare = 32;

    private readonly Lock _lock = new();
    private readonly LinkedList<ApiConnection> _quietestFirst = [];
    private int _answers;
    private bool _closed;

    /// <summary>Kestrel's middleware for each connection.</summary>
    internal async Task ServeAsync(ConnectionContext context, ConnectionDelegate next)
    {
        LinkedListNode<ApiConnection> place = new(new ApiConnection(context));
        context.Features.Set(place);
        context.Features.Set(this);
        Enter(place)?.Abort("another client needs the place of this connection");
        try
        {
            await next(context).ConfigureAwait(false);
        }
        finally
        {
            Leave(place);
        }
    }

    /// <summary>The connection has sent a request.</summary>
    internal void Touch(LinkedListNode<ApiConnection> place)
    {
        lock (_lock)
            MoveToEnd(place);
    }

    /// <summary>False if as many answers as are allowed are on their way.</summary>
    internal bool TryBeginAnswer(LinkedListNode<ApiConnection> place)
    {
        lock (_lock)
        {
            if (_closed || _answers >= mostAnswers)
                return false;
            _answers++;
            place.Value.IsAnswering = true;
            return true;
        }
    }

    internal void EndAnswer(LinkedListNode<ApiConnection> place)
    {
        lock (_lock)
        {
            _answers--;
            place.Value.IsAnswering = false;
            MoveToEnd(place);
        }
    }

    /// <summary>
    /// Ends the answers on their way, and lets none begin: a client that does not read must not hold up the service's end.
    /// </summary>
    internal void Close()
    {
        ApiConnection[] all;
        lock (_lock)
        {
            _closed = true;
            all = [.. _quietestFirst];
        }

        foreach (ApiConnection connection in all.Where(static connection => connection.IsAnswering))
            connection.Abort("the service ends");
    }

    /// <returns>The connection that has to go. There is one that is not answering, since the limit is above that of answers.</returns>
    private ApiConnection? Enter(LinkedListNode<ApiConnection> place)
    {
        lock (_lock)
        {
            ApiConnection? leaving = null;
            if (_quietestFirst.Count >= mostAnswers + Spare)
            {
                leaving = _quietestFirst.First(static connection => !connection.IsAnswering);
                _quietestFirst.Remove(leaving);
            }

            _quietestFirst.AddLast(place);
            return leaving;
        }
    }

    private void Leave(LinkedListNode<ApiConnection> place)
    {
        lock (_lock)
        {
            if (place.List is not null)
                _quietestFirst.Remove(place);
        }
    }

    private void MoveToEnd(LinkedListNode<ApiConnection> place)
    {
        if (place.List is null)
            return; // it had to go already
        _quietestFirst.Remove(place);
        _quietestFirst.AddLast(place);
    }
}

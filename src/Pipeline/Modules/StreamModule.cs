namespace ConntrackStream.Pipeline.Modules;

/// <summary>
/// A feature of the service: a section of the configuration, and what is attached to the stream for it. Derive from
/// <see cref="StreamModule{TOptions}"/>. An instance serves one stream.
/// </summary>
public abstract class StreamModule
{
    private protected StreamModule()
    {
    }

    /// <summary>Name of its section in the configuration: letters only, such as <c>FlowLog</c>.</summary>
    public abstract string Section { get; }

    /// <summary>
    /// The options with their defaults: each property with a setter is a key, one of a class with such properties is a section below. Those
    /// that the service itself has implement <see cref="Configuration.IOptionSection"/>.
    /// </summary>
    public abstract object NewOptions();

    /// <summary>
    /// Registers what the module adds. Nothing is opened or started yet: <c>doctor</c> attaches modules, too, only for their checks.
    /// </summary>
    /// <param name="options">By <see cref="NewOptions"/>, read from the section and validated.</param>
    /// <param name="builder">What can be added, and what is around.</param>
    public abstract void Attach(object options, ModuleBuilder builder);
}

/// <inheritdoc cref="StreamModule"/>
/// <typeparam name="TOptions">
/// Properties of type string, bool, TimeSpan, a number, an enumeration, IPNetwork, or an array of these. Attributes of
/// System.ComponentModel.DataAnnotations and IValidatableObject are heeded.
/// </typeparam>
public abstract class StreamModule<TOptions> : StreamModule
    where TOptions : class, new()
{
    /// <inheritdoc/>
    public sealed override object NewOptions() => new TOptions();

    /// <inheritdoc/>
    public sealed override void Attach(object options, ModuleBuilder builder) => Attach((TOptions)options, builder);

    /// <inheritdoc cref="StreamModule.Attach"/>
    protected abstract void Attach(TOptions options, ModuleBuilder builder);
}

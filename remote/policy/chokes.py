"""Where the policy stands in the agent's code: the choke points, their parameters, what wraps them.

`petasos pin` holds the same table against a release's source. A name that is gone, or that takes
other parameters, is a release that nobody has reviewed: the agent does not start.
"""

from . import (
    api,
    approvals,
    background,
    calls,
    environment,
    files,
    gateway,
    jobs,
    messages,
    models,
    recall,
    turns,
)

ALWAYS, SANDBOX = "always", "sandbox"

# name: (parameters that must be there in this order, more may follow; the wrap; when)
CHOKES = {
    # Tools.
    "hermes_cli.middleware:run_tool_execution_middleware": (
        ("tool_name", "args", "next_call", "**context"),
        calls.wrap_middleware,
        ALWAYS,
    ),
    "tools.registry:ToolRegistry.dispatch": (
        ("self", "name", "args", "**kwargs"),
        calls.wrap_dispatch,
        ALWAYS,
    ),
    "tools.session_search_tool:session_search": (
        (
            "query",
            "role_filter",
            "limit",
            "db",
            "current_session_id",
            "session_id",
            "around_message_id",
            "window",
            "sort",
            "profile",
        ),
        recall.wrap_session_search,
        ALWAYS,
    ),
    # Turns and models.
    "agent.conversation_loop:run_conversation": (
        ("agent", "user_message"),
        turns.wrap_run_conversation,
        ALWAYS,
    ),
    "hermes_cli.middleware:run_llm_execution_middleware": (
        ("request", "next_call", "**context"),
        models.wrap_llm_middleware,
        ALWAYS,
    ),
    "agent.auxiliary_client:call_llm": (("task", "*"), models.wrap_call_llm, ALWAYS),
    "agent.auxiliary_client:async_call_llm": (("task", "*"), models.wrap_call_llm, ALWAYS),
    "agent.auxiliary_client:get_text_auxiliary_client": (
        ("task",),
        models.wrap_text_client,
        ALWAYS,
    ),
    "agent.chat_completion_helpers:handle_max_iterations": (
        ("agent", "messages", "api_call_count"),
        models.wrap_max_iterations,
        ALWAYS,
    ),
    # Messages.
    "gateway.run:start_gateway": ((), gateway.wrap_start_gateway, ALWAYS),
    "gateway.platforms.base:BasePlatformAdapter.handle_message": (
        ("self", "event"),
        messages.wrap_handle_message,
        ALWAYS,
    ),
    "gateway.run:GatewayRunner._handle_message": (
        ("self", "event"),
        messages.wrap_runner,
        ALWAYS,
    ),
    "gateway.platforms.api_server:APIServerAdapter._bind_api_server_session": (
        ("*", "chat_id", "session_key", "session_id"),
        api.wrap_bind_session,
        ALWAYS,
    ),
    **{
        f"gateway.platforms.api_server:APIServerAdapter.{name}": (
            ("self", "request"),
            api.wrap_handler,
            ALWAYS,
        )
        for name in api.HANDLERS
    },
    **{
        f"gateway.platforms.api_server:APIServerAdapter.{name}": (
            ("self", "request"),
            jobs.wrap_handler,
            ALWAYS,
        )
        for name in jobs.HANDLERS
    },
    # Approvals.
    "tools.approval:_fire_approval_hook": (
        ("hook_name", "**kwargs"),
        approvals.wrap_fire_approval_hook,
        ALWAYS,
    ),
    "tools.approval:is_session_yolo_enabled": (
        ("session_key",),
        approvals.wrap_yolo_enabled,
        ALWAYS,
    ),
    "tools.approval:enable_session_yolo": (("session_key",), approvals.wrap_enable_yolo, ALWAYS),
    "gateway.slash_commands:GatewaySlashCommandsMixin._handle_yolo_command": (
        ("self", "event"),
        approvals.wrap_yolo_command,
        ALWAYS,
    ),
    "gateway.slash_commands:GatewaySlashCommandsMixin._handle_debug_command": (
        ("self", "event"),
        approvals.wrap_debug_command,
        ALWAYS,
    ),
    # Where commands run.
    "tools.terminal_tool:_create_environment": (
        (
            "env_type",
            "image",
            "cwd",
            "timeout",
            "ssh_config",
            "container_config",
            "local_config",
            "task_id",
            "host_cwd",
        ),
        environment.wrap_create_environment,
        SANDBOX,
    ),
    "tools.terminal_tool:_get_env_config": ((), environment.wrap_settings, SANDBOX),
    "tools.file_tools:_configured_terminal_cwd": ((), environment.wrap_configured_cwd, SANDBOX),
    "tools.process_registry:ProcessRegistry.spawn_via_env": (
        ("self", "env", "command", "cwd", "task_id", "session_key", "timeout"),
        background.wrap_spawn_via_env,
        SANDBOX,
    ),
    "tools.process_registry:ProcessRegistry.spawn_local": (
        ("self", "command"),
        background.wrap_spawn_local,
        SANDBOX,
    ),
    # Files of the host.
    "gateway.platforms.base:validate_media_delivery_path": (
        ("path",),
        files.wrap_media_path,
        SANDBOX,
    ),
    "tools.read_extract:is_extractable_document": (("path",), files.wrap_extractable, SANDBOX),
    "agent.context_references:preprocess_context_references_async": (
        ("message", "*", "cwd", "context_length"),
        files.wrap_context_references,
        SANDBOX,
    ),
    "agent.subdirectory_hints:SubdirectoryHintTracker.check_tool_call": (
        ("self", "tool_name", "tool_args"),
        files.wrap_directory_hints,
        SANDBOX,
    ),
    "tools.image_source:_is_local_terminal_backend": ((), files.wrap_local_backend, SANDBOX),
    "cron.scheduler:_run_job_script": (("script_path",), files.wrap_cron_script, ALWAYS),
}
